"""Writing signals and their events, in bulk and once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from bigsec.detect.moments import to_us
from bigsec.detect.roles import Parts, parts_of, with_roles
from bigsec.detect.signal import Evidence, Signal
from bigsec.detect.stored import read_object, written
from bigsec.store import chunks
from bigsec.store.model import (
    EventRow,
    IncidentRow,
    IncidentSignalRow,
    SignalEntityRow,
    SignalEventRow,
    SignalRow,
)

__all__ = ["write"]

_Values = list[dict[str, Any]]


def write(
    connection: Connection, signals: Iterable[Signal], events: Iterable[Evidence], now_us: int
) -> tuple[int, int]:
    """Write what the store does not have; returns how many signals and events that were.

    A signal that is there, from another version of its rule, takes what the rule says now.
    """
    given = {signal.signal_id: signal for signal in signals}
    spoken_of = {event.event_id: event for event in events}
    versions = _versions(connection, list(given))
    fresh = [signal for signal in given.values() if signal.signal_id not in versions]
    known_events = _known_events(connection, list(spoken_of))
    new_events = [event for event in spoken_of.values() if event.event_id not in known_events]
    _bulk(connection, EventRow, [_event_values(event) for event in new_events])
    _write_signals(connection, fresh, spoken_of, now_us)
    superseded = [
        signal
        for signal in given.values()
        if versions.get(signal.signal_id, signal.detector_version) != signal.detector_version
    ]
    _supersede(connection, superseded)
    return len(fresh), len(new_events)


def _versions(connection: Connection, ids: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in chunks(ids):
        query = select(SignalRow.signal_id, SignalRow.detector_version)
        rows = connection.execute(query.where(SignalRow.signal_id.in_(part)))
        found.update((signal_id, version) for signal_id, version in rows)
    return found


def _known_events(connection: Connection, ids: list[str]) -> set[str]:
    found: set[str] = set()
    for part in chunks(ids):
        query = select(EventRow.event_id).where(EventRow.event_id.in_(part))
        found.update(connection.scalars(query))
    return found


def _write_signals(
    connection: Connection,
    signals: Sequence[Signal],
    spoken_of: dict[str, Evidence],
    now_us: int,
) -> None:
    wanted = {one for signal in signals for one in signal.event_ids if one not in spoken_of}
    parts = {one: parts_of(event.ocsf) for one, event in spoken_of.items()}
    parts.update(_parts_of_stored(connection, list(wanted)))
    _bulk(connection, SignalRow, [_signal_values(signal, now_us) for signal in signals])
    links: _Values = []
    entities: _Values = []
    for signal in signals:
        own = [parts[one] for one in signal.event_ids if one in parts]
        links.extend(
            {"signal_id": signal.signal_id, "event_id": one}
            for one in dict.fromkeys(signal.event_ids)
        )
        entities.extend(
            {"signal_id": signal.signal_id, **entity.to_dict()}
            for entity in with_roles(signal.entities, own)
        )
    _bulk(connection, SignalEventRow, links)
    _bulk(connection, SignalEntityRow, entities)
    waiting: _Values = [{"signal_id": one.signal_id, "incident_id": None} for one in signals]
    _bulk(connection, IncidentSignalRow, waiting)


def _parts_of_stored(connection: Connection, ids: list[str]) -> dict[str, Parts]:
    found: dict[str, Parts] = {}
    for part in chunks(ids):
        query = select(EventRow.event_id, EventRow.ocsf).where(EventRow.event_id.in_(part))
        for event_id, ocsf in connection.execute(query):
            found[event_id] = parts_of(read_object(ocsf))
    return found


def _supersede(connection: Connection, signals: Sequence[Signal]) -> None:
    if not signals:
        return
    what = ("rule_title", "rule_author", "rule_license", "rule_path", "level", "severity_id")
    lists = ("techniques", "tactics", "cves")
    columns = (*what, *lists, "result", "detector", "detector_version")
    statement = (
        update(SignalRow.__table__)  # type: ignore[arg-type]  # typed as FromClause, is a Table
        .where(SignalRow.signal_id == bindparam("this"))
        .values({name: bindparam(name) for name in columns})
    )
    rows: _Values = []
    for signal in signals:
        values = _signal_values(signal, 0)
        rows.append({"this": signal.signal_id} | {name: values[name] for name in columns})
    connection.execute(statement, rows)
    for part in chunks([signal.signal_id for signal in signals]):
        touched = select(IncidentSignalRow.incident_id).where(IncidentSignalRow.signal_id.in_(part))
        connection.execute(
            update(IncidentRow).where(IncidentRow.incident_id.in_(touched)).values(stale=True)
        )


def _bulk(connection: Connection, table: type[Any], rows: _Values) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _event_values(event: Evidence) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "time_us": None if event.time is None else to_us(event.time),
        "time_effective_us": to_us(event.time_effective),
        "source": event.source,
        "parser": event.parser,
        "raw": event.raw,
        "ocsf": written(event.ocsf),
    }


def _signal_values(signal: Signal, now_us: int) -> dict[str, Any]:
    return {
        "signal_id": signal.signal_id,
        "time_us": to_us(signal.time),
        "severity_id": signal.severity_id,
        "level": signal.level,
        "result": signal.result,
        "rule_id": signal.rule_id,
        "rule_title": signal.rule_title,
        "rule_author": signal.rule_author,
        "rule_license": signal.rule_license,
        "rule_path": signal.rule_path,
        "source": signal.source,
        "parser": signal.parser,
        "techniques": written(signal.attack_techniques),
        "tactics": written(signal.attack_tactics),
        "cves": written(signal.cves),
        "detector": signal.detector,
        "detector_version": signal.detector_version,
        "recorded_us": now_us,
    }
