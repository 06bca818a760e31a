"""Reads an evidence log by its published format alone, with none of the product's code.

It is the tests' second opinion on what the log holds. Checksums and the tree are left to
`bigsec verify`; here records are put together and counted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import zstandard

CONTINUED, CUT, DOUBLE = 1, 2, 4
_PEER_V4, _PEER_V6, _HAS_ID, _HAS_POSITION = 8, 16, 32, 64
_HEADER_BYTES = 4096
_FRAME = struct.Struct("<IIQB")
_BLOCK = struct.Struct("<IIIB")
_LONGEST_BODY = 262_144
WHOLE, FIRST, MIDDLE, LAST, COMMIT, LOST, END = range(1, 8)


@dataclass(frozen=True)
class Record:
    """A record of the log; `payload` as it was received."""

    sequence: int
    flags: int
    received_us: int
    source: str
    peer: bytes
    position: tuple[int, int] | None
    payload: bytes


@dataclass(frozen=True)
class Frame:
    """A frame of a segment: where it begins, what it is."""

    offset: int
    kind: int
    sequence: int
    body: bytes


def segments(folder: Path) -> list[Path]:
    """The segments in order; a sealed one stands for its raw form while both are there."""
    named: dict[str, Path] = {}
    for path in sorted(folder.glob("*.seg")) + sorted(folder.glob("*.segz")):
        named[path.stem] = path
    return [named[stem] for stem in sorted(named)]


def content(segment: Path) -> bytes:
    """A segment's header and frames, decompressed where it is sealed."""
    raw = segment.read_bytes()
    if segment.suffix == ".seg":
        return raw
    plain = [raw[:_HEADER_BYTES]]
    offset = _HEADER_BYTES
    while True:
        _, length, plain_length, kind = _BLOCK.unpack_from(raw, offset)
        offset += _BLOCK.size
        if kind == 1:
            piece = zstandard.ZstdDecompressor().decompress(
                raw[offset : offset + length], max_output_size=plain_length
            )
            plain.append(piece)
        elif kind != 2:
            return b"".join(plain)
        offset += length


def frames(plain: bytes) -> Iterator[Frame]:
    """The frames of a segment up to where it is torn, or ends."""
    offset = _HEADER_BYTES
    while offset + _FRAME.size <= len(plain):
        _, length, sequence, kind = _FRAME.unpack_from(plain, offset)
        end = offset + _FRAME.size + length
        if not WHOLE <= kind <= END or length > _LONGEST_BODY or end > len(plain):
            return
        yield Frame(offset, kind, sequence, plain[offset + _FRAME.size : end])
        offset = end


def records(folder: Path) -> Iterator[Record]:
    """All records of the log that a commit frame covers, in order."""
    paths = segments(folder)
    void_from = [int(path.stem.split("-")[1]) for path in paths[1:]]
    for path, void in zip_longest(paths, void_from):
        yield from _committed(content(path), void)


def _committed(plain: bytes, void_from: int | None) -> Iterator[Record]:
    group: list[Record] = []
    parts: list[bytes] = []
    for frame in frames(plain):
        if frame.kind in (COMMIT, END):
            yield from group
            group = []
        elif void_from is not None and frame.sequence >= void_from:
            continue
        elif frame.kind == WHOLE:
            group.append(decode(frame.sequence, frame.body))
        elif frame.kind in (FIRST, MIDDLE, LAST):
            parts = [frame.body] if frame.kind == FIRST else [*parts, frame.body]
            if frame.kind == LAST:
                group.append(decode(frame.sequence, b"".join(parts)))


def decode(sequence: int, body: bytes) -> Record:
    """A record from the bytes that are hashed."""
    flags, received_us, length = struct.unpack_from("<HqB", body)
    at = 11 + length
    source = body[11:at].decode()
    peer_bytes = 6 if flags & _PEER_V4 else 18 if flags & _PEER_V6 else 0
    peer = body[at : at + peer_bytes]
    at += peer_bytes + (16 if flags & _HAS_ID else 0)
    position = None
    if flags & _HAS_POSITION:
        position = struct.unpack_from("<QQ", body, at)
        at += 16
    return Record(sequence, flags, received_us, source, peer, position, body[at:])


def groups(folder: Path) -> Iterator[tuple[int, int]]:
    """Bytes and records of each group commit, the commit frame included."""
    for path in segments(folder):
        begin, count = _HEADER_BYTES, 0
        for frame in frames(content(path)):
            count += frame.kind in (WHOLE, FIRST)
            if frame.kind == COMMIT:
                end = frame.offset + _FRAME.size + len(frame.body)
                yield end - begin, count
                begin, count = end, 0
