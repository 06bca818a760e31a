"""Rules inside other engines: the same signals as by ourselves."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import polars
import pyarrow as pa
import pytest

import bigsec
from bigsec.errors import SchemaError
from bigsec.lake import Lake, LakeWriter

LINES = [
    b'{"EventID":4688,"Channel":"Security","CommandLine":"cmd /c vssadmin delete shadows /all",'
    b'"NewProcessName":"C:\\\\Windows\\\\System32\\\\vssadmin.exe","SubjectUserName":"ann"}',
    b'{"EventID":1102,"Channel":"Security","Provider_Name":"Microsoft-Windows-Eventlog"}',
    b"<38>Jan  2 03:04:05 web1 sshd[7]: Accepted password for root from 192.0.2.7 port 5 ssh2",
    "纯文本 without a match".encode(),
    b'{"x": 1, "x": {"y": [1, null, "\\u0000"]}, "": "no name", "x": "third"}',
]
KEY = ("rule_id", "level", "signal_id")


def _events() -> pa.Table:
    return pa.RecordBatchReader.from_stream(bigsec.read(LINES, name="test")).read_all()


def _keys(signals: pa.Table) -> list[tuple[object, ...]]:
    return sorted(tuple(row.values()) for row in signals.select(KEY).to_pylist())


def _expected() -> list[tuple[object, ...]]:
    expected = _keys(pa.table(bigsec.Rules.load().match(_events())))
    assert len(expected) >= 2, "the starter rules see something in these lines"
    return expected


def test_polars_map_batches() -> None:
    """Its long offsets, views and binary ids are taken as they come."""
    rules = bigsec.Rules.load()

    def signals(frame: polars.DataFrame) -> polars.DataFrame:
        return polars.DataFrame(pa.table(rules.match(frame)).select(KEY))

    lazy = polars.DataFrame(_events()).lazy().map_batches(signals, validate_output_schema=False)
    assert _keys(lazy.collect().to_arrow()) == _expected()


@pytest.mark.slow
def test_spark_map_in_arrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of a lake's files, matched in the workers of a local Spark."""
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not there: `make spark` adds it")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not there")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    writer = LakeWriter(tmp_path, "log")
    for batch in _events().to_batches():
        writer.take(batch, writer.position + 1 + len(batch))
    writer.seal()
    files = [os.fspath(tmp_path / file.path) for file in Lake(tmp_path).files()]
    builder = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = builder.config("spark.driver.memory", "512m").getOrCreate()
    try:
        events = session.read.parquet(*files)
        assert events.count() == len(LINES)
        found = events.mapInArrow(_in_worker, "rule_id string, level string, signal_id binary")
        assert _keys(found.toArrow()) == _expected()
    finally:
        session.stop()


def test_what_is_no_event_is_still_refused() -> None:
    table = _events()
    at = table.schema.get_field_index("event_id")
    short = pa.array([b"short"] * table.num_rows, pa.binary())
    with pytest.raises(SchemaError, match="event_id"):
        bigsec.Rules.load().match(table.set_column(at, "event_id", short))


def _in_worker(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    rules = bigsec.Rules.load()
    # Spark has no binary of a fixed size.
    schema = pa.schema(
        [("rule_id", pa.string()), ("level", pa.string()), ("signal_id", pa.binary())]
    )
    for batch in batches:
        yield pa.record_batch(rules.match(batch)).select(KEY).cast(schema)
