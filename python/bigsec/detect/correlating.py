"""Bringing the incidents up to date with the signals.

Grouping says which signals belong together; this says which incident each group is. An incident is
known by its founding signal: the group that holds it is that incident, whatever else it has won or
lost. A group with no founder is a new incident, founded by its first signal; in a group with
several, the incident opened first stays and the others lead to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bigsec.detect.describing import describe, forget_entities
from bigsec.detect.facts import Fact
from bigsec.detect.group import group
from bigsec.detect.model import Recorded
from bigsec.detect.moments import to_us
from bigsec.detect.numbers import Numbers, number_order
from bigsec.detect.settings import Grouping
from bigsec.detect.spans import facts_in, waiting_spans
from bigsec.detect.stored import sound
from bigsec.store import Store, chunks
from bigsec.store.model import IncidentRedirectRow, IncidentRow, IncidentSignalRow

__all__ = ["correlate_waiting"]

_ID_BYTES: Final = 16
_PURPOSE: Final = b"bigsec.incident"


@dataclass(slots=True)
class _Changes:
    """What regrouping asks for."""

    opened: dict[str, str] = field(default_factory=dict)
    """New incident → its founding signal."""
    moved: dict[str, str] = field(default_factory=dict)
    """Signal → the incident it is in now."""
    merged: dict[str, str] = field(default_factory=dict)
    """Incident → the one that it is part of now."""
    touched: set[str] = field(default_factory=set)
    """Incidents that won or lost signals."""


def correlate_waiting(store: Store, settings: Grouping, now: datetime) -> Recorded:
    """Group the signals that wait, in one transaction."""
    key, now_us = store.key, to_us(now)
    new = updated = 0
    with store.write() as connection, sound("a signal"):
        numbers = Numbers(connection, now.year)
        for span in waiting_spans(connection, settings.gap_s * 1_000_000):
            facts, current = facts_in(connection, span)
            heads = _heads(connection, {one for one in current.values() if one is not None})
            changes = _compare(group(facts, settings), current, heads, key)
            _apply(connection, changes, numbers.give(list(changes.opened)), now_us)
            new += len(changes.opened)
            updated += len(changes.touched - changes.opened.keys() - changes.merged.keys())
        numbers.save()
        updated += _refresh_stale(connection, now_us)
    return Recorded(new_incidents=new, updated_incidents=updated)


def incident_id_of(founder: str, key: bytes) -> str:
    """The id of the incident that a signal founds. Without the store's key it cannot be guessed."""
    return blake2b(founder.encode(), digest_size=_ID_BYTES, key=key, person=_PURPOSE).hexdigest()


def _heads(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Founding signal → number and id, of the incidents named."""
    heads: dict[str, tuple[str, str]] = {}
    columns = (IncidentRow.founding_signal_id, IncidentRow.number, IncidentRow.incident_id)
    for part in chunks(sorted(ids)):
        rows = connection.execute(select(*columns).where(IncidentRow.incident_id.in_(part)))
        heads.update((founder, (number, incident_id)) for founder, number, incident_id in rows)
    return heads


def _compare(
    groups: Sequence[Sequence[Fact]],
    current: dict[str, str | None],
    heads: dict[str, tuple[str, str]],
    key: bytes,
) -> _Changes:
    changes = _Changes()
    for facts in groups:
        founded = sorted(
            (heads[fact.signal_id] for fact in facts if fact.signal_id in heads),
            key=lambda head: number_order(head[0]),
        )
        if founded:
            incident_id = founded[0][1]
            changes.merged.update((merged, incident_id) for _, merged in founded[1:])
        else:
            founder = facts[0].signal_id
            incident_id = incident_id_of(founder, key)
            changes.opened[incident_id] = founder
        for fact in facts:
            before = current[fact.signal_id]
            if before != incident_id:
                changes.moved[fact.signal_id] = incident_id
                changes.touched.add(incident_id)
                if before is not None:
                    changes.touched.add(before)
    return changes


def _apply(connection: Connection, changes: _Changes, numbers: dict[str, str], now_us: int) -> None:
    if changes.moved:
        connection.execute(
            update(IncidentSignalRow.__table__)  # type: ignore[arg-type]  # a Table, typed wider
            .where(IncidentSignalRow.signal_id == bindparam("this"))
            .values(incident_id=bindparam("home")),
            [{"this": signal, "home": home} for signal, home in changes.moved.items()],
        )
    for merged, target in changes.merged.items():
        _merge(connection, merged, target, now_us)
    for part in chunks(sorted(changes.touched - changes.merged.keys()), 500):
        opened = {one: (numbers[one], changes.opened[one]) for one in part if one in numbers}
        describe(connection, part, opened, now_us)


def _merge(connection: Connection, merged: str, target: str, now_us: int) -> None:
    number = connection.scalars(
        select(IncidentRow.number).where(IncidentRow.incident_id == merged)
    ).one()
    # Members in a stretch that was not looked at: grouped once by a longer gap than today's.
    connection.execute(
        update(IncidentSignalRow)
        .where(IncidentSignalRow.incident_id == merged)
        .values(incident_id=target)
    )
    connection.execute(
        update(IncidentRedirectRow)
        .where(IncidentRedirectRow.target_id == merged)
        .values(target_id=target)
    )
    connection.execute(
        insert(IncidentRedirectRow).values(
            incident_id=merged, number=number, target_id=target, merged_us=now_us
        )
    )
    forget_entities(connection, [merged])
    connection.execute(delete(IncidentRow).where(IncidentRow.incident_id == merged))


def _refresh_stale(connection: Connection, now_us: int) -> int:
    stale = connection.scalars(select(IncidentRow.incident_id).where(IncidentRow.stale)).all()
    for part in chunks(sorted(stale), 500):
        describe(connection, part, {}, now_us)
    return len(stale)
