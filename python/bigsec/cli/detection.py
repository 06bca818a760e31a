"""Detection as the daemon drives it; modules do not import one another, so they meet here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bigsec.store import Store

Rows = Iterable[Mapping[str, Any]]


class Detection:
    """Signals into the store, and signals into incidents."""

    def add(self, connection: Connection, signals: Rows, events: Rows) -> int:
        """Record signals and their events; how many signals were new."""
        from bigsec.detect import add_to

        return add_to(connection, signals, events).new_signals

    def correlate(self, store: Store) -> int:
        """Group what is new into incidents; how many incidents changed."""
        from bigsec.detect import correlate

        recorded = correlate(store)
        return recorded.new_incidents + recorded.updated_incidents
