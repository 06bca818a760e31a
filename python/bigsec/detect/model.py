"""What this room speaks of: signals, the events behind them, and incidents.

Times are aware datetimes in UTC. Everything is frozen: what is written, goes through the verbs of
`service`. `to_dict` gives the object that programs get (`--json`, NDJSON, the API).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bigsec.detect.levels import Level
from bigsec.detect.reasons import Reason

__all__ = [
    "Answer",
    "Confidence",
    "Entity",
    "Evidence",
    "Incident",
    "IncidentDetail",
    "IncidentFilter",
    "IncidentPage",
    "Recorded",
    "Result",
    "Role",
    "Signal",
    "Summary",
    "TimelineEntry",
]

Result = Literal["success", "attempt", "failed", "unknown"]
Role = Literal["source", "target", "related"]
Confidence = Literal["low", "medium", "high"]
Language = Literal["en", "zh"]
Order = Literal["level", "time"]


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A thing that a signal speaks of, and the part it plays.

    type: `ip`, `user`, `host`, `hash`, `domain`, … as the entity table of the rules names it.
    role: `source` acts, `target` is acted on, `related` is neither.
    """

    type: str
    value: str
    role: Role = "related"


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the four answers of an incident: what is known, or why nothing is.

    values: at most 20, the most frequent first. total: how many there are in all.
    reason: set exactly where values is empty.
    """

    values: tuple[str, ...] = ()
    total: int = 0
    reason: Reason | None = None

    def text(self, language: Language = "en") -> str: ...


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
        ...

    def to_dict(self) -> dict[str, Any]: ...


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
        ...

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """Signals of one rule on one host in a row, folded."""

    first: datetime
    last: datetime
    rule_id: str
    rule_title: str
    level: Level
    result: Result
    where: str
    count: int
    event_ids: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as lists show it.

    incident_id: 32 hexadecimal digits. number: for people, `2026-000123`.
    source, method, target, weakness: who, how (ATT&CK techniques), what, and by which weakness.
    rules: distinct rules that fired. signal_count, event_count: in all.
    """

    incident_id: str
    number: str
    title_en: str
    title_zh: str
    level: Level
    severity_id: int
    result: Result
    confidence: Confidence
    first: datetime
    last: datetime
    source: Answer
    method: Answer
    target: Answer
    weakness: Answer
    attack_tactics: tuple[str, ...]
    rules: int
    signal_count: int
    event_count: int

    def title(self, language: Language = "en") -> str: ...

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetail(Incident):
    """An incident with what it rests on.

    signals, evidence: the strongest first-come of each, bounded by the caller; the counts say how
    many there are. merged: ids that lead here since they were merged into this one.
    """

    founding_signal_id: str
    entities: tuple[Entity, ...] = ()
    signals: tuple[Signal, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    merged: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents a list shows; what is None does not filter.

    level: this level and above. since, until: incidents with activity in [since, until).
    text: part of the title, the number or an entity, without regard to case.
    source: name of a log source that a signal came from. entity: exact value of an entity.
    """

    level: Level | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    source: str | None = None
    entity: str | None = None
    result: Result | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """A part of a list. next: cursor for `after`, None at the end.

    total: how many fit the filter, counted up to 10,000; total_exact is False beyond.
    """

    incidents: tuple[Incident, ...]
    next: str | None
    total: int
    total_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a call of `record`, `add` or `correlate` changed. All 0: nothing."""

    new_signals: int = 0
    new_events: int = 0
    new_incidents: int = 0
    updated_incidents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A store in numbers. levels: incidents by level, highest first, every level present."""

    incidents: int
    signals: int
    events: int
    first: datetime | None
    last: datetime | None
    levels: Mapping[Level, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]: ...
