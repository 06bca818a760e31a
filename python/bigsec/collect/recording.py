"""From chunks to the store: each record takes effect once, whatever happens in between.

Signals, events, ledgers and the position stand in one transaction. A process that dies before it
ends has recorded nothing of the chunk and reads it again; one that dies after it begins behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from bigsec.store import LedgerEntry, Store, add_ledgers, begin_chunk, note_lost

__all__ = ["CONSUMER", "Chunk", "Detection", "Recorder", "genuine"]

CONSUMER: Final = "detect"
"""The consumer's name in the store."""

OWN_PACK: Final = "bigsec_platform"
OWN_SOURCE: Final = "bigsec.watch"
"""Only the platform can write under this name: no configured source can have a dot in it."""

Rows = Iterable[Mapping[str, Any]]


class _Batch(Protocol):
    def to_pylist(self) -> list[dict[str, Any]]: ...


class Chunk(Protocol):
    """What the records `[first, next)` come to, as the core gives it."""

    @property
    def signals(self) -> _Batch: ...
    @property
    def events(self) -> _Batch: ...
    @property
    def ledgers(self) -> Iterable[Any]: ...
    @property
    def lost(self) -> Iterable[tuple[int, int, str]]: ...
    @property
    def first(self) -> int: ...
    @property
    def next(self) -> int: ...


class Detection(Protocol):
    """The part of the detection module that the daemon drives; handed in, since modules do not
    import one another."""

    def add(self, connection: Connection, signals: Rows, events: Rows) -> int:
        """Record signals and their events; how many signals were new."""

    def correlate(self, store: Store) -> int:
        """Group what is new into incidents; how many incidents changed."""


def genuine(signals: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], set[str]]:
    """Signals without those that a sender made in the platform's name, and the senders' sources.

    The records themselves stay in the log and in the ledger.
    """
    own = [one["parser"] != OWN_PACK or one["source"] == OWN_SOURCE for one in signals]
    forgers = {one["source"] for one, true in zip(signals, own, strict=True) if not true}
    return [one for one, true in zip(signals, own, strict=True) if true], forgers


class Recorder:
    """Records the chunks of one log."""

    def __init__(self, store: Store, log: str, detection: Detection) -> None:
        self._store = store
        self._log = log
        self._detection = detection
        self.signals = 0
        self.forged: set[str] = set()
        """Sources that sent records which look like the platform's own."""
        self.waiting = True
        """Whether signals are not grouped; at the start those that an earlier run left."""

    def record(self, chunk: Chunk) -> bool:
        """Record a chunk; False where it was recorded before."""
        signals, forgers = genuine(chunk.signals.to_pylist())
        self.forged |= forgers
        events = chunk.events.to_pylist()
        with self._store.write() as connection:
            if not begin_chunk(connection, self._log, CONSUMER, chunk.first, chunk.next):
                return False
            new = self._detection.add(connection, signals, events) if signals else 0
            add_ledgers(connection, self._log, map(_entry, chunk.ledgers))
            for first, end, what in chunk.lost:
                note_lost(connection, self._log, first, end, what)
        self.signals += new
        self.waiting |= new > 0
        return True

    def correlate(self) -> int:
        """Group what waits into incidents."""
        if not self.waiting:
            return 0
        changed = self._detection.correlate(self._store)
        self.waiting = False
        return changed


def _entry(ledger: Any) -> LedgerEntry:
    return LedgerEntry(
        source=ledger.source,
        received=ledger.received,
        parsed=ledger.parsed,
        unparsed=ledger.unparsed,
        quarantined=ledger.quarantined,
        events=ledger.events,
        doubles=ledger.doubles,
        bytes=ledger.bytes,
        first_received_us=ledger.first_received_us,
        last_received_us=ledger.last_received_us,
        clock_skew_us=ledger.clock_skew_us,
        parsers=dict(ledger.parsers),
        reasons=dict(ledger.reasons),
    )
