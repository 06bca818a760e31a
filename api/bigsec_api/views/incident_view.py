"""What the page of one incident shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bigsec.detect import Entity, Evidence, IncidentDetail, Level, Signal, severity_of
from bigsec_api.views.visible import shortened

__all__ = ["IncidentView", "RawLine", "RuleLine"]

ANSWERS: Final = ("source", "method", "target", "weakness")
ROLES: Final = ("source", "target", "related", "common")
RAW_CHARACTERS_MAX: Final = 4_000
"""Of one record on the page; its JSON has the whole."""
SIGNALS_MAX: Final = 1_000
EVIDENCE_SHOWN: Final = 50
TIMELINE_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule that fired: its first signal, and how many there are."""

    signal: Signal
    count: int
    techniques: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawLine:
    """An event with the beginning of its record. text: None where it was not kept."""

    event: Evidence
    text: str | None
    left_out: int
    rules: tuple[str, ...]
    level: Level | None


class IncidentView:
    """One incident, arranged for reading."""

    def __init__(self, incident: IncidentDetail, *, evidence_max: int = EVIDENCE_SHOWN) -> None:
        self.incident = incident
        self.answers = ANSWERS
        self.rules = _rules(incident.signals)
        self.timeline = incident.timeline[:TIMELINE_SHOWN]
        self.timeline_left = len(incident.timeline) - len(self.timeline)
        self.raw = _raw(incident, evidence_max)
        self.entities = _by_role(incident.entities)
        self.shown_events = frozenset(line.event.event_id for line in self.raw)
        self.signals_read = len(incident.signals)
        self.more_evidence = min(incident.event_count, 1000)


def _rules(signals: tuple[Signal, ...]) -> tuple[RuleLine, ...]:
    grouped: dict[str, list[Signal]] = {}
    for signal in signals:
        grouped.setdefault(signal.rule_id, []).append(signal)
    lines = [
        RuleLine(
            own[0],
            len(own),
            tuple(dict.fromkeys(one for signal in own for one in signal.attack_techniques)),
        )
        for own in grouped.values()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.signal.severity_id, -line.count)))


def _raw(incident: IncidentDetail, most: int) -> tuple[RawLine, ...]:
    of_event: dict[str, list[Signal]] = {}
    for signal in incident.signals:
        for event_id in signal.event_ids:
            of_event.setdefault(event_id, []).append(signal)
    lines: list[RawLine] = []
    for event in incident.evidence[:most]:
        text, left_out = (None, 0)
        if event.raw is not None:
            text, left_out = shortened(event.raw, RAW_CHARACTERS_MAX)
        own = of_event.get(event.event_id, [])
        level = max((one.level for one in own), key=severity_of, default=None)
        titles = tuple(dict.fromkeys(one.rule_title for one in own))
        lines.append(RawLine(event, text, left_out, titles, level))
    return tuple(lines)


def _by_role(entities: tuple[Entity, ...]) -> tuple[tuple[str, tuple[Entity, ...]], ...]:
    found = ((role, tuple(one for one in entities if one.role == role)) for role in ROLES)
    return tuple((role, own) for role, own in found if own)
