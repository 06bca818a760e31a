"""Counts the leaves of JSON records that are found again in their events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import zip_longest

import bigsec
from fields import events, leaves
from scorer import share
from sets import Line, Void

# So many lost names are told.
SHOWN = 20


def compare(records: Iterable[bytes], name: str) -> list[Line]:
    """The leaves kept of records read in one go, who read them, and the names that lost values."""
    sources = [record for record in records if record.strip()]
    kept = total = 0
    lost: Counter[str] = Counter()
    parsers: Counter[str] = Counter()
    read = bigsec.read(sources, name=name)
    for source, event in zip_longest(sources, events(read)):
        if source is None or event is None:
            raise Void(f"{len(sources)} records did not give as many events")
        parsers[event.parser] += 1
        wanted: dict[str, Counter[str | None]] = defaultdict(Counter)
        for path, value in leaves(source):
            wanted[path][value] += 1
        for path, values in wanted.items():
            missing = values - Counter(event.fields.get(path, ()))
            total += values.total()
            kept += values.total() - missing.total()
            lost[path] += missing.total()
    lines = [share("events", parsers.total(), len(sources)), share("leaves kept", kept, total)]
    for parser, count in parsers.most_common():
        lines.append(share(f"read by {parser}", count, len(sources)))
    for path, count in (+lost).most_common(SHOWN):
        lines.append(Line(f"lost {count} x {path}", {"what": f"lost {path}", "got": count}))
    return lines
