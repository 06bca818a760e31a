"""Arrow by PyCapsule, in and out, with every library that speaks it."""

from __future__ import annotations

import gc
from pathlib import Path

import duckdb
import polars
import pyarrow as pa
import pytest

import bigsec
from bigsec.errors import SchemaError, StreamConsumedError

LINES = [
    b'{"timestamp":"2026-01-02T03:04:05Z","k":1,"k":"two","list":[1,null,{"a":[]}],"o":{}}',
    "纯文本 with \x00 NUL".encode(),
    b'{"EventID":4688,"Channel":"Security","CommandLine":"whoami /all","NewProcessId":"0x1a"}',
]


def reader() -> bigsec.EventReader:
    return bigsec.read(LINES, name="test")


def test_a_stream_goes_to_pyarrow_and_back_into_match() -> None:
    table = pa.RecordBatchReader.from_stream(reader()).read_all()
    assert table.num_rows == len(LINES)
    rules = bigsec.Rules.load()
    assert rules.match(table).num_rows == rules.match(table.to_batches()[0]).num_rows


def test_duplicate_keys_stay_and_every_engine_reads_them() -> None:
    table = pa.RecordBatchReader.from_stream(reader()).read_all()
    unmapped = table.column("unmapped")[0].as_py()
    assert [one["value"] for one in unmapped if one["name"] == "k"] == ["1", "two"]
    frame = polars.DataFrame(table)
    assert frame.height == len(LINES)
    assert frame["unmapped"].explode().struct.field("name").to_list().count("k") == 2
    query = "select count(*) from (select unnest(unmapped, recursive := true) from events)"
    connection = duckdb.connect().register("events", table)
    found = connection.execute(f"{query} where name = 'k'").fetchone()
    assert found == (2,)


def test_a_reader_can_be_read_once_and_says_so() -> None:
    events = reader()
    assert sum(batch.num_rows for batch in events) == len(LINES)
    with pytest.raises(StreamConsumedError):
        iter(events)
    with pytest.raises(StreamConsumedError):
        pa.RecordBatchReader.from_stream(events)


def test_a_batch_can_be_handed_out_many_times_and_outlives_its_reader() -> None:
    batch = next(iter(reader()))
    gc.collect()
    first, second = pa.record_batch(batch), pa.record_batch(batch)
    assert first.equals(second)
    assert pa.RecordBatchReader.from_stream(batch).read_all().num_rows == len(LINES)


def test_what_is_no_event_is_refused_with_the_column() -> None:
    rules = bigsec.Rules.load()
    with pytest.raises(SchemaError, match="event_id"):
        rules.match(pa.table({"a": [1]}))
    with pytest.raises(SchemaError, match="__arrow_c_stream__"):
        rules.match(42)


def test_what_the_callers_own_iterable_raises_comes_through() -> None:
    def lines() -> object:
        yield b"one"
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        list(bigsec.read(lines()))  # type: ignore[arg-type]


def test_indicators_are_found_in_batches_as_in_records(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text("indicator,type\nevil.example,domain\n192.0.2.66:4444,ip:port\n/a.php,url\n")
    rules = bigsec.Rules.load().with_indicators(bigsec.Indicators.load(feed))
    lines = [
        '{"query":"www.evil.example"}',
        '{"query":"notevil.example"}',
        '{"dest_ip":"192.0.2.66","dest_port":4444}',
        '{"dest_ip":"192.0.2.66","src_port":4444}',
        '192.0.2.1 - - [24/Nov/2026:10:00:00 +0000] "GET /a.php?x HTTP/1.1" 200 1 "-" "-"',
        "a text that nothing can read: evil.example",
    ]
    by_batch = [rules.match(batch) for batch in bigsec.read(lines, name="t", keep_raw=True)]
    by_record = [chunk.signals for chunk in bigsec.scan(lines, rules, name="t")]
    ids = [
        [signal["signal_id"] for one in batches for signal in one.to_pylist()]
        for batches in (by_batch, by_record)
    ]
    assert len(ids[0]) == 4
    assert ids[0] == ids[1]
    assert rules.version != bigsec.Rules.load().version
