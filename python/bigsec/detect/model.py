"""What this room speaks of: incidents, and what lists and verbs give.

Times are aware datetimes in UTC. Everything is frozen: what is written, goes through the verbs of
`service`. `to_dict` gives the object that programs get (`--json`, NDJSON, the API).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bigsec.detect.assess.classes import Classification, Warned
from bigsec.detect.assess.exploitability import Exploitability
from bigsec.detect.assess.linking import Link
from bigsec.detect.assess.scoring import Score
from bigsec.detect.levels import Confidence, Level
from bigsec.detect.moments import to_text
from bigsec.detect.reasons import REASONS, Reason
from bigsec.detect.signal import Entity, Evidence, Result, Signal
from bigsec.detect.silencing import Silence

__all__ = [
    "Answer",
    "Confidence",
    "Incident",
    "IncidentDetail",
    "IncidentFilter",
    "IncidentPage",
    "Order",
    "Recorded",
    "Summary",
    "TimelineEntry",
]

Language = Literal["en", "zh"]
Order = Literal["level", "time"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the four answers of an incident: what is known, or why nothing is.

    values: at most 20, the most frequent first. total: how many there are in all.
    reason: set exactly where values is empty.
    """

    values: tuple[str, ...] = ()
    total: int = 0
    reason: Reason | None = None

    def __post_init__(self) -> None:
        if bool(self.values) == (self.reason is not None):
            raise ValueError("an answer has values, or a reason why it has none")

    def text(self, language: Language = "en") -> str:
        """The values, or the reason, for people."""
        if self.reason is not None:
            return REASONS[self.reason][language]
        shown = ("、" if language == "zh" else ", ").join(self.values)
        more = self.total - len(self.values)
        if more <= 0:
            return shown
        return f"{shown} 等 {self.total} 个" if language == "zh" else f"{shown} and {more} more"

    def to_dict(self) -> dict[str, Any]:
        """For programs: values and total, or the reason's code and text."""
        if self.reason is not None:
            return {"values": [], "total": 0, "reason": self.reason, "why": self.text()}
        return {"values": list(self.values), "total": self.total}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """Signals of one rule in one place (host, address or log) that follow each other, folded.

    event_ids: the first of them, at most 20. count: signals.
    """

    first: datetime
    last: datetime
    rule_id: str
    rule_title: str
    level: Level
    result: Result
    where: str
    count: int
    event_ids: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "first": to_text(self.first),
            "last": to_text(self.last),
            "rule_id": self.rule_id,
            "rule_title": self.rule_title,
            "level": self.level,
            "result": self.result,
            "where": self.where,
            "count": self.count,
            "event_ids": list(self.event_ids),
        }


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

    def title(self, language: Language = "en") -> str:
        """The title in one language."""
        return self.title_zh if language == "zh" else self.title_en

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "incident_id": self.incident_id,
            "number": self.number,
            "title": {"en": self.title_en, "zh": self.title_zh},
            "level": self.level,
            "severity_id": self.severity_id,
            "result": self.result,
            "confidence": self.confidence,
            "first": to_text(self.first),
            "last": to_text(self.last),
            "source": self.source.to_dict(),
            "method": self.method.to_dict(),
            "target": self.target.to_dict(),
            "weakness": self.weakness.to_dict(),
            "attack_tactics": list(self.attack_tactics),
            "rules": self.rules,
            "signal_count": self.signal_count,
            "event_count": self.event_count,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetail(Incident):
    """An incident with what it rests on.

    entities: at most 200, the most frequent first. signals: highest level first, then in time;
    evidence: the events of these, in time; both bounded by the caller, and the counts say how many
    there are. timeline: at most 1,000 entries. merged: ids that lead here since they were merged
    into this one. exploitability, score, gb20986: whether the attack could work, how urgent the
    incident is, and its class, as known now. warning: the level that is proposed. stage: the
    furthest ATT&CK tactic that was seen. links: why its signals are together, the strongest
    first, at most 20. silences: those that fit signals of it, and how many.
    """

    founding_signal_id: str
    exploitability: Exploitability
    score: Score
    gb20986: Classification
    warning: Warned
    stage: str | None
    links: tuple[Link, ...] = ()
    silenced_signals: int = 0
    silences: tuple[tuple[Silence, int], ...] = ()
    entities: tuple[Entity, ...] = ()
    signals: tuple[Signal, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    merged: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For programs: the incident as lists have it, and what it rests on."""
        # Named, because a class with slots is made anew and `super()` would not find it.
        return Incident.to_dict(self) | {
            "founding_signal_id": self.founding_signal_id,
            "exploitability": self.exploitability.to_dict(),
            "score": self.score.to_dict(),
            "gb20986": self.gb20986.to_dict(),
            "warning": self.warning.to_dict(),
            "stage": self.stage,
            "links": [link.to_dict() for link in self.links],
            "silenced_signals": self.silenced_signals,
            "silences": [one.to_dict() | {"signals": count} for one, count in self.silences],
            "entities": [entity.to_dict() for entity in self.entities],
            "signals": [signal.to_dict() for signal in self.signals],
            "evidence": [event.to_dict() for event in self.evidence],
            "timeline": [entry.to_dict() for entry in self.timeline],
            "merged": list(self.merged),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents a list shows; what is None does not filter.

    level: this level and above. since, until: incidents with activity in [since, until).
    text: part of the title, the number or an entity, without regard to case.
    source: name of a log source that a signal came from. entity: exact value of an entity.
    silenced: also those of which every signal is silenced.
    """

    level: Level | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    source: str | None = None
    entity: str | None = None
    result: Result | None = None
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentPage:
    """A part of a list. next: cursor for `after`, None at the end.

    total: how many fit the filter, counted up to 10,000; total_exact is False beyond. silenced: how
    many more would, were they not silenced; counted up to 10,000.
    """

    incidents: tuple[Incident, ...]
    next: str | None
    total: int
    total_exact: bool
    silenced: int = 0


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

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "incidents": self.incidents,
            "signals": self.signals,
            "events": self.events,
            "first": None if self.first is None else to_text(self.first),
            "last": None if self.last is None else to_text(self.last),
            "levels": dict(self.levels),
        }
