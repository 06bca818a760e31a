"""Reads the labelled data: compressed lines, the rules' archive, records without our own keys."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

# The labelled data: beside the repo, unless the environment names another place.
SHARED = Path(
    os.environ.get("BIGSEC_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)
# `_id` and `_file` stand first in a record where the data have them, in this order.
_HEAD = {
    "_id": re.compile(rb'^\{"_id": "(?:[^"\\]|\\.)*", '),
    "_file": re.compile(rb'^\{(?P<id>"_id": "(?:[^"\\]|\\.)*", )?"_file": "(?:[^"\\]|\\.)*", '),
}


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file without their ends; `.zst` is decompressed."""
    with path.open("rb") as file:
        stream: io.BufferedIOBase = file
        if path.suffix == ".zst":
            # The reader is a raw stream: without a buffer each line would be read byte by byte.
            raw = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            stream = io.BufferedReader(raw, buffer_size=1 << 20)
        for line in stream:
            yield line.rstrip(b"\r\n")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    for line in lines(path):
        if line:
            yield json.loads(line)


def named(folder: Path, stem: str) -> Path:
    """The file of this name, compressed or not."""
    for name in (f"{stem}.zst", stem):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"neither {stem} nor {stem}.zst in {folder}")


def without(line: bytes, *names: str) -> bytes:
    """A record without keys of the data's own (`_file`, then `_id`), the rest untouched."""
    for name in names:
        shorter = _HEAD[name].sub(lambda found: b"{" + (found.groupdict().get("id") or b""), line)
        if len(shorter) == len(line) and f'"{name}"'.encode() in line:
            record = json.loads(line)
            record.pop(name, None)
            shorter = json.dumps(record, ensure_ascii=False).encode()
        line = shorter
    return line


def unpack_rules(archive: Path, folder: Path) -> Path:
    """Unpack a `.tar.zst` of rules; a folder is taken as it is."""
    if archive.is_dir():
        return archive
    with archive.open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file)
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            tar.extractall(folder, filter="data")
    return folder
