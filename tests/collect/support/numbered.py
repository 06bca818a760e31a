"""Numbered records: what was sent, what was acknowledged, and what the evidence holds of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from .evidence import DOUBLE, Record

_NUMBER = re.compile(rb"\bstream=(?P<stream>[a-z0-9-]+) number=(?P<number>[0-9]+)\b")


def payload(stream: str, number: int, size: int = 0) -> bytes:
    """One syslog line with its number; filled up to `size` bytes."""
    line = (
        f"<134>1 2026-11-25T02:00:00.000Z host-1.example app 77 - - "
        f"stream={stream} number={number} "
    ).encode()
    return line + b"x" * max(0, size - len(line))


def number_of(line: bytes) -> tuple[str, int] | None:
    """Stream and number of a line, wherever in it they stand."""
    found = _NUMBER.search(line)
    return None if found is None else (found["stream"].decode(), int(found["number"]))


@dataclass
class Stream:
    """What the evidence holds of one stream."""

    seen: set[int] = field(default_factory=set)
    records: int = 0
    highest: int = -1
    reordered: list[int] = field(default_factory=list)
    unmarked: list[int] = field(default_factory=list)

    def add(self, number: int, flags: int) -> None:
        """One record more, in the order of the log."""
        self.records += 1
        if number in self.seen:
            if not flags & DOUBLE:
                self.unmarked.append(number)
            return
        self.seen.add(number)
        if number < self.highest:
            self.reordered.append(number)
        self.highest = max(self.highest, number)


def streams(records: Iterable[Record]) -> dict[str, Stream]:
    """All streams of the records, which come in the order of the log."""
    found: dict[str, Stream] = {}
    for record in records:
        numbered = number_of(record.payload)
        if numbered is not None:
            stream, number = numbered
            found.setdefault(stream, Stream()).add(number, record.flags)
    return found


def check(found: dict[str, Stream], stream: str, acked: Iterable[int]) -> Stream:
    """Nothing acknowledged is lost, the order is kept, and what came twice says so."""
    held = found.get(stream, Stream())
    lost = sorted(set(acked) - held.seen)
    assert not lost, f"{stream}: {len(lost)} acknowledged records lost, first {lost[:5]}"
    assert not held.reordered, f"{stream}: out of order: {held.reordered[:5]}"
    assert not held.unmarked, (
        f"{stream}: {len(held.unmarked)} doubles without their mark, first {held.unmarked[:5]}"
    )
    return held
