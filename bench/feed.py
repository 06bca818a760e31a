"""Writes a made-up feed of a million indicators, of every kind that feeds have."""

from __future__ import annotations

import hashlib
import random
import string
from pathlib import Path

MILLION = 1_000_000
SEED = 7
FAMILIES = 500
# Kinds and how many of twenty are of each: what public feeds hold, names of files and IPv6 too, so
# that every way of looking is in use.
SHARES = (
    ("domain", 7),
    ("ip", 4),
    ("sha256", 4),
    ("md5", 1),
    ("url", 1),
    ("ip:port", 1),
    ("cidr", 1),
    ("filename", 1),
)


def write_feed(path: Path, count: int = MILLION) -> Path:
    """A table with a header line; the same for the same count."""
    made = random.Random(SEED)  # noqa: S311  # a fixed seed
    kinds = [kind for kind, share in SHARES for _ in range(share)]
    with path.open("w", encoding="utf-8") as file:
        file.write("indicator,type,family\n")
        for number in range(count):
            kind = kinds[number % len(kinds)]
            value, kind = _value(kind, number, made)
            file.write(f"{value},{kind},family{number % FAMILIES}\n")
    return path


def _value(kind: str, number: int, made: random.Random) -> tuple[str, str]:
    def word(length: int) -> str:
        return "".join(made.choices(string.ascii_lowercase, k=length))

    def address() -> str:
        return ".".join(str(made.randint(1, 223)) for _ in range(4))

    match kind:
        case "domain":
            top = made.choice(("com", "net", "top", "xyz", "ru", "cn"))
            return f"{word(8)}.{word(6)}.{top}", kind
        case "ip":
            return address(), kind
        case "sha256":
            return hashlib.sha256(str(number).encode()).hexdigest(), kind
        case "md5":
            return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest(), kind
        case "url":
            return f"http://{word(9)}.{word(5)}.com/{word(6)}.php?id={number}", kind
        case "ip:port":
            return f"{address()}:{made.randint(1, 65_535)}", kind
        case "cidr" if number % 3:
            return f"{address().rsplit('.', 1)[0]}.0/24", kind
        case "cidr":
            return f"2a02:{made.randint(1, 65_535):x}::{made.randint(1, 9_999):x}", "ip"
        case _ if number % 2:
            return f"{word(10)}.exe", "filename"
        case _:
            return f"{word(7)}@{word(8)}.com", "email"
