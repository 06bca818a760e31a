"""Zeek's logs as TSV and as JSON: record for record, both must give the same event.

Equal means: every field under Zeek's name and every column of the event schema, but for what says
where and how the record was written. What the two forms cannot both say is allowed for: times are
compared as times; numbers as numbers, and those that may have a fraction to the six places that
TSV has; the elements of a set in any order; `(empty)` is both the set without an element and the
set of one empty string. `_path` and `_write_ts` stand in JSON alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import zip_longest
from pathlib import Path

import bigsec
from corpus import lines, named
from fields import Event, events
from scorer import share
from sets import Case, Inputs, Line, Void

JSON_ALONE = ("_path", "_write_ts")
# Columns that tell of the record's form or place, not of what happened.
OF_THE_FORM = frozenset(
    (
        "event_id",
        "source",
        "parser",
        "field_map",
        "time_received",
        "raw_data",
        "tz_offset_min",
        "metadata.original_time",
        "metadata.log_name",
        "metadata.encoding",
    )
)
WHOLE = ("count", "int", "port")
FRACTIONS = ("double", "interval", "time")
PLACES = Decimal("0.000001")
SHOWN = 20

Canonical = dict[str, object]


@dataclass
class Differences:
    """How often each name differed, with the first pair of values."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, left: object, right: object) -> None:
        """Count one difference."""
        self.counts[name] += 1
        self.examples.setdefault(name, f"{left!r} in TSV, {right!r} in JSON")

    def lines(self) -> Iterator[Line]:
        """The commonest, one a line."""
        for name, count in self.counts.most_common(SHOWN):
            text = f"differs {count} x {name}: {self.examples[name]}"
            yield Line(text, {"what": f"differs {name}", "got": count})


def score(inputs: Inputs) -> Iterator[Case]:
    """One case: a line for each log, the sum, and which fields differ."""
    found: list[Line] = []
    differences = Differences()
    equal = total = 0
    for path in sorted([*inputs.data.glob("*.log.zst"), *inputs.data.glob("*.log")]):
        stem = path.name.split(".", 1)[0]
        same, of = _compare(path, named(inputs.data, f"{stem}.json"), stem, differences)
        found.append(share(f"{stem}: equal", same, of))
        equal, total = equal + same, total + of
    if not equal:
        raise Void(f"of {total} records in {inputs.data} none was read alike in both forms")
    found.append(share("all: equal", equal, total))
    yield Case("records", (*found, *differences.lines()))


def _compare(tsv: Path, json: Path, stem: str, differences: Differences) -> tuple[int, int]:
    types = _types(tsv)
    as_tsv = events(bigsec.read(lines(tsv), name=f"{stem}.log"))
    as_json = events(bigsec.read(lines(json), name=f"{stem}.json"))
    same = total = 0
    for left, right in zip_longest(as_tsv, as_json):
        total += 1
        if left is None or right is None or "none" in (left.parser, right.parser):
            parsers = (one.parser if one else "no event" for one in (left, right))
            differences.add(f"{stem}: parser", *parsers)
            continue
        left_form, right_form = _canonical(left, types), _canonical(right, types)
        same += left_form == right_form
        for name in left_form.keys() | right_form.keys():
            if left_form.get(name) != right_form.get(name):
                differences.add(f"{stem}: {name}", left_form.get(name), right_form.get(name))
    return same, total


@dataclass(frozen=True)
class Declared:
    """What the header of a TSV log says of a field: the type of its values, one or several."""

    type: str = "string"
    several: bool = False


def _types(tsv: Path) -> dict[str, Declared]:
    """What the header of a TSV log declares for each field, by its lower-case name."""
    head: dict[bytes, list[str]] = {}
    for line in lines(tsv):
        if not line.startswith(b"#"):
            break
        first, *rest = line.split(b"\t")
        head[first] = [one.decode() for one in rest]
    declared = {}
    for name, written in zip(head.get(b"#fields", ()), head.get(b"#types", ()), strict=True):
        container, bracket, inner = written.partition("[")
        declared[name.lower()] = Declared(inner.rstrip("]") or container, bool(bracket))
    return declared


def _canonical(event: Event, types: dict[str, Declared]) -> Canonical:
    form: Canonical = {
        name: value
        for name, value in event.columns.items()
        if name not in OF_THE_FORM and value != ""
    }
    for name, values in event.fields.items():
        declared = types.get(name, Declared())
        read = [_value(value, declared.type) for value in values]
        if declared.several:
            read = sorted((value for value in read if value not in (None, "")), key=str)
        if name not in JSON_ALONE:
            form[f"field {name}"] = read
    return form


def _value(text: str | None, declared: str) -> object:
    if text is None:
        return None
    if declared == "time" and "T" in text:
        when = datetime.fromisoformat(text)
        return Decimal(int(when.timestamp())) + Decimal(when.microsecond) / 1_000_000
    with suppress(InvalidOperation):
        if declared in WHOLE:
            return Decimal(text)
        if declared in FRACTIONS:
            return Decimal(text).quantize(PLACES)
    return text
