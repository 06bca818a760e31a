"""The labels go, the records stay as they are."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from corpus import lines, named, rows, unpack_rules, without

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.sampled_from(("_id", "_file", "a", '_file" x')) | st.text(), VALUES)


@given(RECORDS)
def test_only_the_named_keys_are_lost(record: dict[str, object]) -> None:
    line = json.dumps(record).encode()
    kept = {name: value for name, value in record.items() if name not in ("_id", "_file")}
    assert json.loads(without(line, "_file", "_id")) == kept
    without_one = {name: value for name, value in record.items() if name != "_file"}
    assert json.loads(without(line, "_file")) == without_one


def test_the_rest_of_a_record_is_not_rewritten() -> None:
    line = b'{"_id": "x/1#0", "_file": "a \\"b\\".evtx", "n": 1.0,  "t": "\\u4e2d", "n": 2}'
    assert without(line, "_file") == b'{"_id": "x/1#0", "n": 1.0,  "t": "\\u4e2d", "n": 2}'
    assert without(line, "_file", "_id") == b'{"n": 1.0,  "t": "\\u4e2d", "n": 2}'


def test_compressed_and_plain_files_give_the_same_lines(tmp_path: Path) -> None:
    text = b'{"a": 1}\r\n{"a": 2}\n'
    (tmp_path / "plain.ndjson").write_bytes(text)
    frames = [zstandard.compress(text[:10]), zstandard.compress(text[10:])]
    (tmp_path / "packed.ndjson.zst").write_bytes(b"".join(frames))
    assert list(lines(named(tmp_path, "plain.ndjson"))) == [b'{"a": 1}', b'{"a": 2}']
    assert list(rows(named(tmp_path, "packed.ndjson"))) == [{"a": 1}, {"a": 2}]
    with pytest.raises(FileNotFoundError, match=r"neither x\.ndjson nor"):
        named(tmp_path, "x.ndjson")


def test_an_archive_of_rules_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("../outside.yml")
        entry.size = 1
        tar.addfile(entry, BytesIO(b"x"))
    archive = tmp_path / "rules.tar.zst"
    archive.write_bytes(zstandard.compress(packed.getvalue()))
    with pytest.raises(tarfile.OutsideDestinationError):
        unpack_rules(archive, tmp_path / "rules")
    assert not (tmp_path / "outside.yml").exists()
