#!/usr/bin/env python3
"""Checks an evidence bundle of bigsec with nothing but Python's standard library.

    evidence_verify.py BUNDLE --key VERIFIER-KEY [--checkpoint NOTE] [--log NAME]

The verifier key must come from whoever runs the log, never from the bundle. NOTE is a checkpoint
kept elsewhere, on which the bundle must then rest. Exit code 0: all records stand in the log.
"""

import argparse
import base64
import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


class Key(NamedTuple):
    name: str
    hash: bytes
    public: bytes


class Note(NamedTuple):
    origin: str
    size: int
    root: bytes
    text: bytes
    next_key: str
    signatures: list[tuple[str, bytes]]


def add(a: Point, b: Point) -> Point:
    cross = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + cross, -1, P)
    return x % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - cross, -1, P) % P


def times(point: Point, scalar: int) -> Point:
    total = (0, 1)
    for bit in f"{scalar:b}":
        total = add(total, total)
        total = add(total, point) if bit == "1" else total
    return total


def point_from(data: bytes) -> Point:
    y = int.from_bytes(data, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if len(data) != 32 or y >= P or x * x % P != square or (x == 0 and data[31] >> 7):
        raise ValueError("a point of the signature or key is not on the curve")
    return (x if x & 1 == data[31] >> 7 else P - x), y


def signed_by(key: Key, message: bytes, signature: bytes) -> bool:
    """Ed25519 as in RFC 8032, section 5.1.7."""
    scalar = int.from_bytes(signature[32:], "little")
    base = point_from((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    digest = hashlib.sha512(signature[:32] + key.public + message).digest()
    right = times(point_from(key.public), int.from_bytes(digest, "little") % ORDER)
    return scalar < ORDER and times(base, scalar) == add(point_from(signature[:32]), right)


def parse_key(text: str) -> Key:
    name, key_hash, rest = text.strip().split("+", 2)
    data = base64.b64decode(rest, validate=True)
    expected = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if len(data) != 33 or data[0] != 1 or expected.hex() != key_hash:
        raise ValueError(f"the verifier key of {name} is not an Ed25519 key, or its hash is wrong")
    return Key(name, expected, data[1:])


def parse_note(text: str) -> Note:
    body, _, rest = text.partition("\n\n")
    origin, size, root, *more = body.split("\n")
    next_key = "".join(line[9:] for line in more if line.startswith("next-key "))
    lines = [line.split(" ") for line in rest.split("\n") if line.startswith("\u2014 ")]
    signatures = [(name, base64.b64decode(data, validate=True)) for _, name, data in lines]
    root_hash = base64.b64decode(root, validate=True)
    return Note(origin, int(size), root_hash, (body + "\n").encode(), next_key, signatures)


def check_signature(note: Note, key: Key) -> None:
    for name, data in note.signatures:
        if (name, data[:4]) == key[:2] and signed_by(key, note.text, data[4:]):
            return
    raise ValueError(f"the note at size {note.size} has no valid signature by {key.name}")


def root_of(record: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that a record and its path lead to: RFC 9162, section 2.1.3.2."""
    node, last = hashlib.sha256(b"\x00" + record).digest(), size - 1
    for sibling in path:
        if index & 1 or index == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    return node if last == 0 else b""


def check(bundle: Any, key: Key, log: str, outside: Note | None) -> str:
    if bundle["bundle"] != 1:
        raise ValueError(f"this program reads bundles of version 1, not {bundle['bundle']}")
    note = parse_note(bundle["checkpoint"])
    for change in map(parse_note, bundle["key_changes"]):
        if change.origin == log and any(data[:4] == key.hash for _, data in change.signatures):
            check_signature(change, key)
            key = parse_key(change.next_key)
            check_signature(change, key)
    check_signature(note, key)
    if note.origin != log or not bundle["records"]:
        raise ValueError(f"the checkpoint is of {note.origin}, not of {log}, or there is no record")
    if outside is not None and outside[:3] != note[:3]:
        raise ValueError("the bundle rests on another checkpoint than the one kept elsewhere")
    for entry in bundle["records"]:
        index, path = entry["sequence"], [*map(base64.b64decode, entry["path"])]
        record = base64.b64decode(entry["record"], validate=True)
        if not 0 <= index < note.size or root_of(record, index, note.size, path) != note.root:
            raise ValueError(f"record {index} is not the one that was signed")
    return f"{len(bundle['records'])} records stand in {log}, signed at size {note.size}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Check an evidence bundle of bigsec.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", required=True, help="the verifier key: name+hash+base64")
    parser.add_argument("--checkpoint", help="file with a note that was kept elsewhere")
    parser.add_argument("--log", help="name of the log, where it is not the key's")
    args = parser.parse_args()
    try:
        key = parse_key(args.key)
        outside = parse_note(Path(args.checkpoint).read_text("utf-8")) if args.checkpoint else None
        bundle = json.loads(args.bundle.read_text("utf-8"))
        print(check(bundle, key, args.log or key.name, outside))
    except (ValueError, KeyError, TypeError, OSError, RecursionError) as error:
        raise SystemExit(f"NOT PROVED: {error}") from None


if __name__ == "__main__":
    main()
