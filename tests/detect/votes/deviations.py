"""The known deviations of the other engines, from `deviations.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).with_name("deviations.yaml")


@dataclass(frozen=True)
class Deviation:
    """One class of them."""

    voters: tuple[str, ...]
    modifiers: tuple[str, ...]
    value: re.Pattern[str]
    fields: tuple[str, ...]
    null: bool

    def has(self, rule: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
        """Whether a rule and an event are of this class."""
        if self.null and None not in event.values():
            return False
        return any(self._fits(*one) for one in _tests(rule))

    def _fits(self, field: str, modifiers: list[str], value: object) -> bool:
        named = any(modifier in self.modifiers for modifier in modifiers)
        return field in self.fields or (named and self.value.search(str(value)) is not None)


def deviations() -> list[Deviation]:
    """All classes."""
    return [
        Deviation(
            voters=tuple(row["voters"]),
            modifiers=tuple(row["tests"].get("modifiers", ())),
            value=re.compile(row["tests"].get("value", "")),
            fields=tuple(row["tests"].get("fields", ())),
            null=row.get("events") == "null",
        )
        for row in yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    ]


def _tests(rule: Mapping[str, Any]) -> Iterator[tuple[str, list[str], object]]:
    """Field, modifiers and each value of every test of a rule."""
    for name, part in rule["detection"].items():
        if name != "condition":
            for selection in part if isinstance(part, list) else [part]:
                yield from _of_selection(selection)


def _of_selection(selection: object) -> Iterator[tuple[str, list[str], object]]:
    if isinstance(selection, Mapping):
        for key, wanted in selection.items():
            field, *modifiers = str(key).split("|")
            values: Iterable[object] = wanted if isinstance(wanted, list) else [wanted]
            yield from ((field, modifiers, value) for value in values)
