"""What `bigsec.read` takes: the same log gives the same events, however it is handed over."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

import bigsec

LOG = b'{"n": 1}\nplain words\n{"n": 2}\n' + b'{"long": "' + b"x" * 700_000 + b'"}\n'


def ids(source: object) -> list[str]:
    """The ids of all events of a source."""
    return [
        row["event_id"]
        for batch in bigsec.read(source)  # type: ignore[arg-type]
        for row in batch.to_pylist()
    ]


def test_path_bytes_file_object_and_lines_are_one_log(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(LOG)
    expected = ids(path)
    assert len(expected) == 4
    assert ids([str(path)]) == expected
    assert ids(LOG) == expected
    assert ids(io.BytesIO(LOG)) == expected
    assert ids(io.BytesIO(gzip.compress(LOG))) == expected
    assert ids(LOG.splitlines()) == expected
    assert ids(LOG.decode().splitlines()) == expected


def test_a_file_in_text_mode_is_refused_with_the_mend() -> None:
    with pytest.raises(TypeError, match="'rb'"):
        bigsec.read(io.StringIO("x"))  # type: ignore[arg-type]


def test_mappings_are_read_as_json() -> None:
    (batch,) = bigsec.read([{"EventID": 1102, "Channel": "Security"}])
    assert batch.to_pylist()[0]["metadata"]["event_code"] == "1102"
