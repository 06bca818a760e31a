"""The verbs of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from bigsec.detect.correlating import correlate_waiting
from bigsec.detect.details import detail
from bigsec.detect.model import (
    IncidentDetail,
    IncidentFilter,
    IncidentPage,
    Order,
    Recorded,
    Summary,
)
from bigsec.detect.moments import to_us, utc_now
from bigsec.detect.queries import page, store_summary
from bigsec.detect.recording import write
from bigsec.detect.settings import Grouping
from bigsec.detect.signal import Evidence, Signal
from bigsec.store import Store

__all__ = ["add", "add_to", "correlate", "get_incident", "list_incidents", "record", "summary"]

Rows = Iterable[Mapping[str, Any]]
Clock = Callable[[], datetime]

_DEFAULT: Final = Grouping()
_ALL: Final = IncidentFilter()


def record(
    store: Store,
    signals: Rows,
    events: Rows,
    *,
    grouping: Grouping = _DEFAULT,
    now: Clock = utc_now,
) -> Recorded:
    """Store signals with their events and bring the incidents up to date.

    signals, events: rows of `ScanChunk.signals.to_pylist()` and `ScanChunk.events.to_pylist()`.
    Recording the same again changes nothing. A scan in many chunks calls `add` for each chunk and
    `correlate` once at its end: the same incidents for less work.
    Raises SchemaError, StoreFullError, StoreError.
    """
    added = add(store, signals, events, now=now)
    grouped = correlate(store, grouping=grouping, now=now)
    return Recorded(
        new_signals=added.new_signals,
        new_events=added.new_events,
        new_incidents=grouped.new_incidents,
        updated_incidents=grouped.updated_incidents,
    )


def add(store: Store, signals: Rows, events: Rows, *, now: Clock = utc_now) -> Recorded:
    """Store signals with their events; incidents are left for `correlate`."""
    with store.write() as connection:
        return add_to(connection, signals, events, now=now)


def add_to(
    connection: Connection, signals: Rows, events: Rows, *, now: Clock = utc_now
) -> Recorded:
    """The same within a transaction of the caller's, for what must be stored with more or not."""
    hits = [Signal.from_row(row) for row in signals]
    evidence = [Evidence.from_row(row) for row in events]
    new_signals, new_events = write(connection, hits, evidence, to_us(now()))
    return Recorded(new_signals=new_signals, new_events=new_events)


def correlate(store: Store, *, grouping: Grouping = _DEFAULT, now: Clock = utc_now) -> Recorded:
    """Group what was added since the last time into incidents."""
    return correlate_waiting(store, grouping, now())


def list_incidents(
    store: Store,
    where: IncidentFilter = _ALL,
    *,
    limit: int = 50,
    after: str | None = None,
    order: Order = "level",
) -> IncidentPage:
    """One page of incidents; order `level`: highest first, then latest; `time`: latest first.

    after: `next` of the page before. Raises ValueError for a limit outside 1..1000, a level that
    does not exist, or a cursor that is not one.
    """
    return page(store, where, limit=limit, after=after, order=order)


def get_incident(
    store: Store, reference: str, *, signals_max: int = 1000, evidence_max: int = 100
) -> IncidentDetail:
    """An incident by id, by number (`2026-000123`, `2026-123`) or by a unique beginning of its id.

    Raises NotFoundError, which names near misses, or the candidates where the beginning is not
    unique.
    """
    return detail(store, reference, signals_max=signals_max, evidence_max=evidence_max)


def summary(store: Store) -> Summary:
    """The store in numbers."""
    return store_summary(store)
