"""Stretches of time that must be grouped again, and the facts in them.

Grouping never reaches over a gap without any signal. So what a new signal can change lies between
the silence before it and the silence after it, and that stretch can be grouped by itself.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, cast

from sqlalchemy import ColumnElement, Connection, func, select

from bigsec.detect.facts import Fact, fact_of
from bigsec.detect.signal import Entity, Role
from bigsec.store.model import IncidentSignalRow, SignalEntityRow, SignalEventRow, SignalRow

__all__ = ["Span", "facts_in", "waiting_spans"]

SPAN_SIGNALS: Final = 50_000
"""Stretches are taken together up to this many signals: each costs a few queries."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time with silence on both sides, both ends included."""

    start_us: int
    end_us: int

    @property
    def condition(self) -> ColumnElement[bool]:
        """The signals in it."""
        return SignalRow.time_us.between(self.start_us, self.end_us)


def waiting_spans(connection: Connection, gap_us: int) -> list[Span]:
    """The stretches with signals that wait to be grouped, in order of time."""
    times = connection.scalars(
        select(SignalRow.time_us)
        .join(IncidentSignalRow, IncidentSignalRow.signal_id == SignalRow.signal_id)
        .where(IncidentSignalRow.incident_id.is_(None))
        .order_by(SignalRow.time_us)
    ).all()
    if not times:
        return []
    starts = [times[0]] + [after for before, after in pairwise(times) if after - before > gap_us]
    ends = [before for before, after in pairwise(times) if after - before > gap_us] + [times[-1]]
    spans: list[Span] = []
    for start, end in zip(starts, ends, strict=True):
        if spans and end <= spans[-1].end_us:
            continue
        span = _up_to_silence(connection, start, end, gap_us)
        _append(connection, spans, span)
    return spans


def facts_in(connection: Connection, span: Span) -> tuple[list[Fact], dict[str, str | None]]:
    """The facts of a stretch, and the incident that each signal is in so far."""
    events = _events(connection, span)
    entities = _entities(connection, span)
    query = (
        select(
            SignalRow.signal_id,
            SignalRow.time_us,
            SignalRow.rule_id,
            SignalRow.source,
            IncidentSignalRow.incident_id,
        )
        .join(IncidentSignalRow, IncidentSignalRow.signal_id == SignalRow.signal_id)
        .where(span.condition)
    )
    facts: list[Fact] = []
    current: dict[str, str | None] = {}
    same: dict[str, str] = {}
    for signal_id, time_us, rule_id, log, incident_id in connection.execute(query):
        current[signal_id] = incident_id
        rule = same.setdefault(rule_id, rule_id)
        own = entities.pop(signal_id, [])
        facts.append(fact_of(signal_id, time_us, rule, log, own, events.pop(signal_id, [])))
    return facts, current


def _up_to_silence(connection: Connection, start_us: int, end_us: int, gap_us: int) -> Span:
    earlier = select(SignalRow.time_us).where(SignalRow.time_us < start_us)
    for time_us in connection.scalars(earlier.order_by(SignalRow.time_us.desc())):
        if start_us - time_us > gap_us:
            break
        start_us = time_us
    later = select(SignalRow.time_us).where(SignalRow.time_us > end_us)
    for time_us in connection.scalars(later.order_by(SignalRow.time_us)):
        if time_us - end_us > gap_us:
            break
        end_us = time_us
    return Span(start_us, end_us)


def _append(connection: Connection, spans: list[Span], span: Span) -> None:
    """Add a stretch, or join it to the last one: signals between them group as they did before."""
    if spans:
        joined = Span(spans[-1].start_us, span.end_us)
        count = connection.scalar(
            select(func.count()).select_from(SignalRow).where(joined.condition)
        )
        if count is not None and count <= SPAN_SIGNALS:
            spans[-1] = joined
            return
    spans.append(span)


def _entities(connection: Connection, span: Span) -> dict[str, list[Entity]]:
    query = (
        select(
            SignalEntityRow.signal_id,
            SignalEntityRow.type,
            SignalEntityRow.value,
            SignalEntityRow.role,
        )
        .join(SignalRow, SignalRow.signal_id == SignalEntityRow.signal_id)
        .where(span.condition)
    )
    found: dict[str, list[Entity]] = defaultdict(list)
    same: dict[tuple[str, str, str], Entity] = {}
    for signal_id, kind, value, role in connection.execute(query):
        entity = same.get((kind, value, role))
        if entity is None:
            entity = same[kind, value, role] = Entity(kind, value, cast(Role, role))
        found[signal_id].append(entity)
    return found


def _events(connection: Connection, span: Span) -> dict[str, list[str]]:
    query = (
        select(SignalEventRow.signal_id, SignalEventRow.event_id)
        .join(SignalRow, SignalRow.signal_id == SignalEventRow.signal_id)
        .where(span.condition)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for signal_id, event_id in connection.execute(query):
        found[signal_id].append(event_id)
    return found
