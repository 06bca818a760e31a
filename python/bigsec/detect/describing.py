"""Writing what incidents say of themselves, from the signals that they hold now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from bigsec.detect.model import Answer
from bigsec.detect.portrait import Portrait, Stroke, Tally
from bigsec.detect.stored import read_texts, written
from bigsec.store.model import (
    IncidentEntityRow,
    IncidentRow,
    IncidentSignalRow,
    SignalEntityRow,
    SignalEventRow,
    SignalRow,
)

__all__ = ["describe", "forget_entities"]


def describe(
    connection: Connection,
    ids: Sequence[str],
    opened: Mapping[str, tuple[str, str]],
    now_us: int,
) -> None:
    """Bring the rows of incidents up to date.

    opened: number and founding signal of those that have no row yet.
    """
    _count_entities(connection, ids)
    portraits = _portraits(connection, ids)
    events = _events(connection, ids)
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for incident_id in ids:
        portrait = portraits[incident_id]
        portrait.events = events.get(incident_id, 0)
        values = _values(portrait, now_us)
        if incident_id in opened:
            number, founder = opened[incident_id]
            own = {"incident_id": incident_id, "number": number, "founding_signal_id": founder}
            added.append(own | values | {"opened_us": now_us})
        else:
            changed.append({"this": incident_id} | values)
    if added:
        connection.execute(insert(IncidentRow), added)
    if changed:
        names = [name for name in changed[0] if name != "this"]
        connection.execute(
            update(IncidentRow.__table__)  # type: ignore[arg-type]  # a Table, typed wider
            .where(IncidentRow.incident_id == bindparam("this"))
            .values({name: bindparam(name) for name in names}),
            changed,
        )


def forget_entities(connection: Connection, ids: Sequence[str]) -> None:
    """Drop the counted entities of incidents."""
    connection.execute(delete(IncidentEntityRow).where(IncidentEntityRow.incident_id.in_(ids)))


def _count_entities(connection: Connection, ids: Sequence[str]) -> None:
    forget_entities(connection, ids)
    columns = (
        IncidentSignalRow.incident_id,
        SignalEntityRow.type,
        SignalEntityRow.value,
        SignalEntityRow.role,
    )
    counted = (
        select(*columns, func.count())
        .join(SignalEntityRow, SignalEntityRow.signal_id == IncidentSignalRow.signal_id)
        .where(IncidentSignalRow.incident_id.in_(ids))
        .group_by(*columns)
    )
    names = ["incident_id", "type", "value", "role", "signal_count"]
    connection.execute(insert(IncidentEntityRow).from_select(names, counted))


def _portraits(connection: Connection, ids: Sequence[str]) -> dict[str | None, Portrait]:
    portraits: dict[str | None, Portrait] = defaultdict(Portrait)
    query = (
        select(
            IncidentSignalRow.incident_id,
            SignalRow.time_us,
            SignalRow.signal_id,
            SignalRow.severity_id,
            SignalRow.rule_id,
            SignalRow.rule_title,
            SignalRow.result,
            SignalRow.techniques,
            SignalRow.tactics,
            SignalRow.cves,
        )
        .join(SignalRow, SignalRow.signal_id == IncidentSignalRow.signal_id)
        .where(IncidentSignalRow.incident_id.in_(ids))
    )
    lists: dict[str, tuple[str, ...]] = {}
    for incident_id, *plain, techniques, tactics, cves in connection.execute(query):
        read = [_read(text, lists) for text in (techniques, tactics, cves)]
        portraits[incident_id].add(Stroke(*plain, *read))
    entities = select(
        IncidentEntityRow.incident_id,
        IncidentEntityRow.type,
        IncidentEntityRow.value,
        IncidentEntityRow.role,
        IncidentEntityRow.signal_count,
    ).where(IncidentEntityRow.incident_id.in_(ids))
    for incident_id, kind, value, role, count in connection.execute(entities):
        portraits[incident_id].add_entity(Tally(kind, value, role, count))
    return portraits


def _read(text: str, known: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The lists of a rule stand on each of its signals: read each text once."""
    if text not in known:
        known[text] = read_texts(text)
    return known[text]


def _events(connection: Connection, ids: Sequence[str]) -> dict[str | None, int]:
    query = (
        select(IncidentSignalRow.incident_id, func.count(SignalEventRow.event_id.distinct()))
        .join(SignalEventRow, SignalEventRow.signal_id == IncidentSignalRow.signal_id)
        .where(IncidentSignalRow.incident_id.in_(ids))
        .group_by(IncidentSignalRow.incident_id)
    )
    return dict(connection.execute(query).all())


def _values(portrait: Portrait, now_us: int) -> dict[str, Any]:
    return {
        "severity_id": portrait.severity_id,
        "level": portrait.level,
        "result": portrait.result,
        "confidence": portrait.confidence,
        "title_en": portrait.title("en"),
        "title_zh": portrait.title("zh"),
        "first_us": portrait.first_us,
        "last_us": portrait.last_us,
        "source": _json(portrait.source),
        "method": _json(portrait.method),
        "target": _json(portrait.target),
        "weakness": _json(portrait.weakness),
        "tactics": written(portrait.tactics),
        "rules": portrait.rules,
        "signal_count": portrait.signals,
        "event_count": portrait.events,
        "stale": False,
        "updated_us": now_us,
    }


def _json(answer: Answer) -> str:
    row = {"values": answer.values, "total": answer.total, "reason": answer.reason}
    return written(row)
