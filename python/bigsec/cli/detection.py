"""Detection as the daemon drives it; modules do not import one another, so they meet here.

All is imported before the daemon takes records: a disk that fails later must not be met by an
import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bigsec.detect import add_to, correlate

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bigsec.store import Store

Rows = Iterable[Mapping[str, Any]]


class Detection:
    """Signals into the store, and signals into incidents."""

    def add(self, connection: Connection, signals: Rows, events: Rows) -> int:
        """Record signals and their events; how many signals were new."""
        return add_to(connection, signals, events).new_signals

    def correlate(self, store: Store) -> int:
        """Group what is new into incidents; how many incidents changed."""
        recorded = correlate(store)
        return recorded.new_incidents + recorded.updated_incidents
