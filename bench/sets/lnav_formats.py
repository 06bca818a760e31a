"""lnav's test logs, of many formats and some broken: every line is kept, and how many are read.

The set has no labels. A file is one source, each of its lines a record; a header line makes no
event. Lines that go on from the one before are read alone here, and by no pack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import bigsec
from corpus import named, rows
from fields import events
from scorer import share
from sets import Case, Inputs, Line, Void


def score(inputs: Inputs) -> Iterator[Case]:
    """A line for each file whose lines were not all read, then the sums."""
    sums: Counter[str] = Counter()
    unread: list[Line] = []
    for row in rows(named(inputs.data, "files.jsonl")):
        records = [line for line in row["text"].encode().split(b"\n") if line.strip()]
        read = list(events(bigsec.read(iter(records), name=row["id"])))
        known = sum(event.parser != "none" for event in read)
        sums["files"] += 1
        sums["records"] += len(read)
        sums["read by a pack"] += known
        sums["with a time"] += sum("time" in event.columns for event in read)
        if known < len(read):
            unread.append(share(f"{row['id']}: read by a pack", known, len(read)))
    if not sums["read by a pack"]:
        raise Void(f"no line of {inputs.data} was read")
    found = ("read by a pack", "with a time")
    yield Case("files", tuple(unread))
    yield Case(
        "records", tuple(share(f"all: {what}", sums[what], sums["records"]) for what in found)
    )
