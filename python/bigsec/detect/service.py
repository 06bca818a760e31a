"""The verbs of this room (contract; being implemented)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from bigsec.detect.model import (
    IncidentDetail,
    IncidentFilter,
    IncidentPage,
    Order,
    Recorded,
    Summary,
)
from bigsec.detect.settings import Grouping
from bigsec.store import Store


def record(
    store: Store,
    signals: Iterable[Mapping[str, Any]],
    events: Iterable[Mapping[str, Any]],
    *,
    grouping: Grouping = Grouping(),
    now: Callable[[], datetime] = ...,
) -> Recorded:
    """Store signals with their events and bring the incidents up to date.

    signals, events: rows of `ScanChunk.signals.to_pylist()` and `ScanChunk.events.to_pylist()`.
    Recording the same again changes nothing. A scan in many chunks calls `add` for each chunk and
    `correlate` once at its end (also after Ctrl-C): the same incidents for less work.
    Raises SchemaError, StoreFullError, StoreError.
    """
    ...


def add(
    store: Store,
    signals: Iterable[Mapping[str, Any]],
    events: Iterable[Mapping[str, Any]],
    *,
    now: Callable[[], datetime] = ...,
) -> Recorded:
    """Store signals with their events; incidents are left for `correlate`."""
    ...


def correlate(
    store: Store, *, grouping: Grouping = Grouping(), now: Callable[[], datetime] = ...
) -> Recorded:
    """Group what was added since the last time into incidents."""
    ...


def list_incidents(
    store: Store,
    where: IncidentFilter = IncidentFilter(),
    *,
    limit: int = 50,
    after: str | None = None,
    order: Order = "level",
) -> IncidentPage:
    """One page of incidents; order `level`: highest first, then latest; `time`: latest first.

    after: `next` of the page before. Raises ValueError for a limit outside 1..1000 or a cursor
    that is not one.
    """
    ...


def get_incident(
    store: Store, reference: str, *, signals_max: int = 1000, evidence_max: int = 100
) -> IncidentDetail:
    """An incident by id, by number (`2026-000123`, `2026-123`) or by a unique beginning of its id.

    Raises NotFoundError, which names near misses, or the candidates where the beginning is not
    unique.
    """
    ...


def summary(store: Store) -> Summary:
    """The store in numbers."""
    ...
