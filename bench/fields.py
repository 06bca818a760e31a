"""What a batch knows of each event, by the names its source has: the measure of what was lost.

A source's field stands in `unmapped` under its own name, or in the column that the row's field map
names for it. The two are put together here as a rule sees them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import bigsec

_MAP_KEY = "bigsec.field_map."

Values = dict[str, list[str | None]]


@dataclass
class Event:
    """One event: its columns by dotted path, and its fields by the source's lower-case names."""

    columns: dict[str, Any]
    fields: Values = field(default_factory=lambda: defaultdict(list))

    @property
    def parser(self) -> str:
        """The pack that read it."""
        return str(self.columns["parser"])

    def first(self, *columns: str) -> Any:
        """The value of the first of these columns that has one."""
        return next((self.columns[name] for name in columns if name in self.columns), None)

    def text(self, name: str) -> str | None:
        """The first value of a field of the source."""
        return next(iter(self.fields.get(name, ())), None)


@dataclass
class FieldMap:
    """Which column holds which field: for each column its primary field, and the alternates."""

    primary: dict[str, str] = field(default_factory=dict)
    alternates: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def read(cls, text: str) -> FieldMap:
        """The stored form: a line `name<TAB>column` each, the primary of a column first."""
        made = cls()
        for line in text.splitlines():
            name, column = line.lower().split("\t")
            if made.primary.setdefault(column, name) != name:
                made.alternates[column].add(name)
        return made

    def fill(self, event: Event) -> None:
        """Add the fields that stand in columns alone. A kept original, or a kept alternate that
        filled the column, stands in `unmapped` and speaks for itself."""
        kept = set(event.fields)
        for column, name in self.primary.items():
            if name not in kept and column in event.columns and not self.alternates[column] & kept:
                event.fields[name].append(_text(event.columns[column]))


def events(batches: Iterator[bigsec.Batch]) -> Iterator[Event]:
    """Every event of the batches, with its fields under the source's names."""
    for batch in batches:
        maps = _field_maps(batch)
        for row in batch.to_pylist():
            unmapped = row.pop("unmapped", [])
            event = Event(dict(_flat(row, "")))
            for one in unmapped:
                event.fields[one["name"].lower()].append(_text(one.get("value")))
            maps[row["field_map"]].fill(event)
            yield event


def leaves(line: bytes) -> Iterator[tuple[str, str | None]]:
    """Every leaf of a JSON record: its dotted path in lower case, and its value as written.

    The elements of a list repeat the path.
    """
    yield from _leaves(json.loads(line, parse_int=str, parse_float=str), "")


def _leaves(value: object, path: str) -> Iterator[tuple[str, str | None]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path.lower(), _text(value)


def _text(value: object) -> str | None:
    """A value as the batch writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _flat(row: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


def _field_maps(batch: bigsec.Batch) -> dict[str, FieldMap]:
    """The field maps that travel in the batch's schema, by their ids."""
    import pyarrow

    metadata = pyarrow.record_batch(batch).schema.metadata or {}
    texts = {key.decode(): text.decode() for key, text in metadata.items()}
    return {
        key.removeprefix(_MAP_KEY): FieldMap.read(text)
        for key, text in texts.items()
        if key.startswith(_MAP_KEY)
    }
