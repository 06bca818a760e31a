"""Signals, and the events behind them.

They come as rows of the compiled core's batches (`from_row`) and go to programs as objects with the
same names (`to_dict`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar, get_args

from bigsec.detect import rows
from bigsec.detect.levels import LEVELS, Level, level_of, severity_of
from bigsec.detect.moments import to_text

__all__ = ["Entity", "Evidence", "Result", "Role", "Signal"]

Result = Literal["success", "attempt", "failed", "unknown"]
Role = Literal["source", "target", "related", "common"]
Word = TypeVar("Word", bound=str)


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A thing that a signal speaks of, and the part it plays.

    type: `ip`, `user`, `host`, `hash`, `domain`, … as the entity table of the rules names it.
    role: `source` acts, `target` is acted on, `related` is neither, `common` is found on most
        machines (a program of the operating system) and says nothing.
    """

    type: str
    value: str
    role: Role = "related"

    def to_dict(self) -> dict[str, str]:
        """For programs."""
        return {"type": self.type, "value": self.value, "role": self.role}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One hit of a rule."""

    signal_id: str
    rule_id: str
    rule_title: str
    level: Level
    severity_id: int
    time: datetime
    source: str
    parser: str
    event_ids: tuple[str, ...] = ()
    entities: tuple[Entity, ...] = ()
    attack_techniques: tuple[str, ...] = ()
    attack_tactics: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()
    result: Result = "unknown"
    rule_author: str | None = None
    rule_license: str | None = None
    rule_path: str | None = None
    detector: str = ""
    detector_version: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Signal:
        """A row of a signal batch's `to_pylist()`. Raises SchemaError naming the field."""
        time = rows.moment(row, "time")
        if time is None:
            raise rows.fault("time", None, "a time in ISO 8601")
        severity_id = rows.number(row, "severity_id", 0)
        level = _one_of(row, "level", LEVELS, level_of(severity_id))
        return cls(
            signal_id=rows.identifier(row, "signal_id"),
            rule_id=rows.text(row, "rule_id"),
            rule_title=rows.text(row, "rule_title"),
            level=level,
            severity_id=severity_of(level),
            time=time,
            source=rows.text(row, "source", ""),
            parser=rows.text(row, "parser", ""),
            event_ids=rows.identifiers(row, "event_ids"),
            entities=_entities(row),
            attack_techniques=rows.texts(row, "attack_techniques"),
            attack_tactics=rows.texts(row, "attack_tactics"),
            cves=rows.texts(row, "cves"),
            result=_one_of(row, "result", get_args(Result), "unknown"),
            rule_author=rows.optional_text(row, "rule_author"),
            rule_license=rows.optional_text(row, "rule_license"),
            rule_path=rows.optional_text(row, "rule_path"),
            detector=rows.text(row, "detector", ""),
            detector_version=rows.text(row, "detector_version", ""),
        )

    def to_dict(self) -> dict[str, Any]:
        """For programs, with the names of the signal schema."""
        return {
            "signal_id": self.signal_id,
            "rule_id": self.rule_id,
            "rule_title": self.rule_title,
            "level": self.level,
            "severity_id": self.severity_id,
            "time": to_text(self.time),
            "source": self.source,
            "parser": self.parser,
            "event_ids": list(self.event_ids),
            "entities": [entity.to_dict() for entity in self.entities],
            "attack_techniques": list(self.attack_techniques),
            "attack_tactics": list(self.attack_tactics),
            "cves": list(self.cves),
            "result": self.result,
            "rule_author": self.rule_author,
            "rule_license": self.rule_license,
            "rule_path": self.rule_path,
            "detector": self.detector,
            "detector_version": self.detector_version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An event that a signal speaks of.

    raw: the record's text, None where it was not kept. ocsf: the event, nested, without `raw_data`.
    """

    event_id: str
    time: datetime | None
    time_effective: datetime
    source: str
    parser: str
    raw: str | None
    ocsf: Mapping[str, Any]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Evidence:
        """A row of an event batch's `to_pylist()`. Raises SchemaError naming the field."""
        effective = rows.moment(row, "time_effective")
        if effective is None:
            raise rows.fault("time_effective", None, "a time in ISO 8601")
        raw = row.get("raw_data")
        return cls(
            event_id=rows.identifier(row, "event_id"),
            time=rows.moment(row, "time"),
            time_effective=effective,
            source=rows.text(row, "source", ""),
            parser=rows.text(row, "parser", ""),
            raw=None if raw is None else rows.text(row, "raw_data"),
            ocsf={name: value for name, value in row.items() if name != "raw_data"},
        )

    def to_dict(self) -> dict[str, Any]:
        """For programs. `raw` is null where the record's text was not kept."""
        return {
            "event_id": self.event_id,
            "time": None if self.time is None else to_text(self.time),
            "time_effective": to_text(self.time_effective),
            "source": self.source,
            "parser": self.parser,
            "raw": self.raw,
            "ocsf": dict(self.ocsf),
        }


def _one_of(row: Mapping[str, Any], name: str, words: tuple[Word, ...], default: Word) -> Word:
    value = row.get(name, default)
    for word in words:
        if value == word:
            return word
    raise rows.fault(name, value, " or ".join(map(str, words)))


def _entities(row: Mapping[str, Any]) -> tuple[Entity, ...]:
    given = row.get("entities", ())
    if not isinstance(given, list | tuple):
        raise rows.fault("entities", given, "a list of type and value")
    found: list[Entity] = []
    for one in given:
        if not isinstance(one, Mapping):
            raise rows.fault("entities", one, "an object of type and value")
        found.append(Entity(rows.text(one, "type"), rows.text(one, "value")))
    return tuple(found)
