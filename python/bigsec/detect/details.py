"""One incident, with what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from sqlalchemy import Connection, select

from bigsec.detect.assess.incident import assess
from bigsec.detect.assess.linking import links_of
from bigsec.detect.levels import level_of
from bigsec.detect.model import IncidentDetail, TimelineEntry
from bigsec.detect.moments import from_us
from bigsec.detect.portrait import combine_results
from bigsec.detect.queries import COLUMNS, incident_fields
from bigsec.detect.references import find
from bigsec.detect.signal import Entity, Evidence, Result, Role, Signal
from bigsec.detect.silencing import silences_on
from bigsec.detect.stored import read_object, read_texts, sound
from bigsec.store import Store, chunks
from bigsec.store.model import (
    EventRow,
    IncidentEntityRow,
    IncidentRedirectRow,
    IncidentRow,
    IncidentSignalRow,
    SignalEntityRow,
    SignalEventRow,
    SignalRow,
)

__all__ = ["detail"]

ENTITIES_MAX: Final = 200
TIMELINE_MAX: Final = 1000
ENTRY_EVENTS_MAX: Final = 20
FOLD_US: Final = 300_000_000
"""Signals of one rule in one place within five minutes of each other are one line."""


def detail(store: Store, reference: str, *, signals_max: int, evidence_max: int) -> IncidentDetail:
    """The incident that a reference names. Raises NotFoundError."""
    with store.read() as connection, sound("an incident"):
        incident_id = find(connection, reference)
        head = (
            connection.execute(
                select(*COLUMNS, IncidentRow.founding_signal_id).where(
                    IncidentRow.incident_id == incident_id
                )
            )
            .mappings()
            .one()
        )
        signals = _signals(connection, incident_id, signals_max)
        event_ids = dict.fromkeys(one for signal in signals for one in signal.event_ids)
        redirects = select(IncidentRedirectRow.incident_id).where(
            IncidentRedirectRow.target_id == incident_id
        )
        fields = incident_fields(head)
        evidence = _evidence(connection, list(event_ids)[:evidence_max])
        meaning = assess(connection, fields, signals, evidence)
        silenced, silences = silences_on(connection, incident_id)
        return IncidentDetail(
            **fields,
            founding_signal_id=head["founding_signal_id"],
            exploitability=meaning.exploitability,
            score=meaning.score,
            gb20986=meaning.gb20986,
            warning=meaning.warning,
            stage=meaning.stage,
            links=links_of(connection, signals),
            silenced_signals=silenced,
            silences=silences,
            entities=_entities(connection, incident_id),
            signals=signals,
            evidence=evidence,
            timeline=_timeline(connection, incident_id),
            merged=tuple(sorted(connection.scalars(redirects))),
        )


def _signals(connection: Connection, incident_id: str, limit: int) -> tuple[Signal, ...]:
    query = (
        select(SignalRow.__table__)
        .join(IncidentSignalRow, IncidentSignalRow.signal_id == SignalRow.signal_id)
        .where(IncidentSignalRow.incident_id == incident_id)
        .order_by(SignalRow.severity_id.desc(), SignalRow.time_us, SignalRow.signal_id)
        .limit(limit)
    )
    rows = connection.execute(query).mappings().all()
    ids = [row["signal_id"] for row in rows]
    events = _events_of(connection, ids)
    entities = _entities_of(connection, ids)
    return tuple(
        _signal(row, events.get(row["signal_id"], ()), entities.get(row["signal_id"], ()))
        for row in rows
    )


def _signal(row: Any, events: Sequence[str], entities: Sequence[Entity]) -> Signal:
    return Signal(
        signal_id=row["signal_id"],
        rule_id=row["rule_id"],
        rule_title=row["rule_title"],
        level=level_of(row["severity_id"]),
        severity_id=row["severity_id"],
        time=from_us(row["time_us"]),
        source=row["source"],
        parser=row["parser"],
        event_ids=tuple(events),
        entities=tuple(sorted(entities)),
        attack_techniques=read_texts(row["techniques"]),
        attack_tactics=read_texts(row["tactics"]),
        cves=read_texts(row["cves"]),
        result=cast(Result, row["result"]),
        rule_author=row["rule_author"],
        rule_license=row["rule_license"],
        rule_path=row["rule_path"],
        detector=row["detector"],
        detector_version=row["detector_version"],
    )


def _events_of(connection: Connection, signal_ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    columns = (SignalEventRow.signal_id, SignalEventRow.event_id)
    for part in chunks(signal_ids):
        query = select(*columns).where(SignalEventRow.signal_id.in_(part)).order_by(*columns)
        for signal_id, event_id in connection.execute(query):
            found.setdefault(signal_id, []).append(event_id)
    return found


def _entities_of(connection: Connection, signal_ids: list[str]) -> dict[str, list[Entity]]:
    found: dict[str, list[Entity]] = {}
    query = select(
        SignalEntityRow.signal_id,
        SignalEntityRow.type,
        SignalEntityRow.value,
        SignalEntityRow.role,
    )
    for part in chunks(signal_ids):
        rows = connection.execute(query.where(SignalEntityRow.signal_id.in_(part)))
        for signal_id, kind, value, role in rows:
            found.setdefault(signal_id, []).append(Entity(kind, value, cast(Role, role)))
    return found


def _entities(connection: Connection, incident_id: str) -> tuple[Entity, ...]:
    columns = (IncidentEntityRow.type, IncidentEntityRow.value, IncidentEntityRow.role)
    query = (
        select(*columns)
        .where(IncidentEntityRow.incident_id == incident_id)
        .order_by(IncidentEntityRow.signal_count.desc(), *columns)
        .limit(ENTITIES_MAX)
    )
    return tuple(
        Entity(kind, value, cast(Role, role)) for kind, value, role in connection.execute(query)
    )


def _evidence(connection: Connection, event_ids: list[str]) -> tuple[Evidence, ...]:
    found: list[Evidence] = []
    for part in chunks(event_ids):
        query = select(EventRow.__table__).where(EventRow.event_id.in_(part))
        for row in connection.execute(query).mappings():
            found.append(
                Evidence(
                    event_id=row["event_id"],
                    time=None if row["time_us"] is None else from_us(row["time_us"]),
                    time_effective=from_us(row["time_effective_us"]),
                    source=row["source"],
                    parser=row["parser"],
                    raw=row["raw"],
                    ocsf=read_object(row["ocsf"]),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.time_effective, one.event_id)))


@dataclass(slots=True)
class _Entry:
    """A line of the timeline that signals can still join."""

    first_us: int
    last_us: int
    rule_id: str
    rule_title: str
    where: str
    severity_id: int
    results: set[Result] = field(default_factory=set)
    count: int = 0
    signal_ids: list[str] = field(default_factory=list)


def _timeline(connection: Connection, incident_id: str) -> tuple[TimelineEntry, ...]:
    places = _places(connection, incident_id)
    query = (
        select(
            SignalRow.signal_id,
            SignalRow.time_us,
            SignalRow.rule_id,
            SignalRow.rule_title,
            SignalRow.severity_id,
            SignalRow.result,
            SignalRow.source,
        )
        .join(IncidentSignalRow, IncidentSignalRow.signal_id == SignalRow.signal_id)
        .where(IncidentSignalRow.incident_id == incident_id)
        .order_by(SignalRow.time_us, SignalRow.signal_id)
    )
    entries: list[_Entry] = []
    latest: dict[tuple[str, str], _Entry] = {}
    for signal_id, time_us, rule_id, title, severity_id, result, log in connection.execute(query):
        where = places.get(signal_id, log)
        entry = latest.get((rule_id, where))
        if entry is None or time_us - entry.last_us > FOLD_US:
            if len(entries) == TIMELINE_MAX:
                break
            entry = _Entry(time_us, time_us, rule_id, title, where, severity_id)
            entries.append(entry)
            latest[rule_id, where] = entry
        entry.last_us = time_us
        entry.severity_id = max(entry.severity_id, severity_id)
        entry.results.add(cast(Result, result))
        entry.count += 1
        if len(entry.signal_ids) < ENTRY_EVENTS_MAX:
            entry.signal_ids.append(signal_id)
    events = _events_of(connection, [one for entry in entries for one in entry.signal_ids])
    return tuple(_entry(entry, events) for entry in entries)


def _entry(entry: _Entry, events: dict[str, list[str]]) -> TimelineEntry:
    own = dict.fromkeys(one for signal in entry.signal_ids for one in events.get(signal, ()))
    return TimelineEntry(
        first=from_us(entry.first_us),
        last=from_us(entry.last_us),
        rule_id=entry.rule_id,
        rule_title=entry.rule_title,
        level=level_of(entry.severity_id),
        result=combine_results(entry.results),
        where=entry.where,
        count=entry.count,
        event_ids=tuple(own)[:ENTRY_EVENTS_MAX],
    )


def _places(connection: Connection, incident_id: str) -> dict[str, str]:
    """Where each signal happened: its host, else the address that was acted on."""
    query = (
        select(SignalEntityRow.signal_id, SignalEntityRow.value)
        .join(IncidentSignalRow, IncidentSignalRow.signal_id == SignalEntityRow.signal_id)
        .where(IncidentSignalRow.incident_id == incident_id)
        .where(SignalEntityRow.role == "target")
        .where(SignalEntityRow.type.in_(("host", "ip")))
        .order_by(SignalEntityRow.signal_id, SignalEntityRow.type, SignalEntityRow.value)
    )
    found: dict[str, str] = {}
    for signal_id, value in connection.execute(query):
        found.setdefault(signal_id, value)
    return found
