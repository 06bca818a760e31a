"""What a store knows of the evidence logs that it was made from."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_update

from bigsec.store.database import Store
from bigsec.store.faults import GarbledError
from bigsec.store.log_model import ConsumerPositionRow, LostRangeRow, SourceLedgerRow

__all__ = [
    "LedgerEntry",
    "add_ledgers",
    "begin_chunk",
    "ledgers_of",
    "note_lost",
    "position_of",
    "rewind",
]

_SUMS = ("received", "parsed", "unparsed", "quarantined", "events", "doubles", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What became of records of one source. clock_skew_us: None where no record told its time."""

    source: str
    received: int
    parsed: int
    unparsed: int
    quarantined: int
    events: int
    doubles: int = 0
    bytes: int = 0
    first_received_us: int
    last_received_us: int
    clock_skew_us: int | None = None
    parsers: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)


def position_of(store: Store, log: str, consumer: str) -> int | None:
    """The first sequence that a consumer has not recorded; None where it never read the log."""
    with store.read() as connection:
        return _position(connection, log, consumer)


def begin_chunk(connection: Connection, log: str, consumer: str, first: int, after: int) -> bool:
    """Note that the records `[first, after)` take effect in this transaction.

    False where they did already: then nothing of them may be recorded again. What was deleted from
    the log before its turn came is noted as lost. A chunk that overlaps what was recorded raises
    ValueError.
    """
    known = _position(connection, log, consumer)
    if known is not None and after <= known:
        return False
    if known is not None and first < known:
        raise ValueError(f"records {first} to {after} do not follow on {known}")
    if known is not None and first > known:
        note_lost(connection, log, known, first, "no longer in the log when their turn came")
    values = {"sequence": after, "updated_us": time.time_ns() // 1000}
    key = {"log": log, "consumer": consumer}
    if known is None:
        connection.execute(insert(ConsumerPositionRow).values(**key, **values))
    else:
        connection.execute(
            update(ConsumerPositionRow)
            .where(ConsumerPositionRow.log == log, ConsumerPositionRow.consumer == consumer)
            .values(**values)
        )
    return True


def rewind(store: Store, log: str, consumer: str, sequence: int) -> None:
    """Go back to a position, where the log is one of an earlier time."""
    with store.write() as connection:
        connection.execute(
            update(ConsumerPositionRow)
            .where(ConsumerPositionRow.log == log, ConsumerPositionRow.consumer == consumer)
            .values(sequence=sequence, updated_us=time.time_ns() // 1000)
        )


def add_ledgers(connection: Connection, log: str, entries: Iterable[LedgerEntry]) -> None:
    """Add to what became of the records of each source."""
    for entry in entries:
        where = (SourceLedgerRow.log == log, SourceLedgerRow.source == entry.source)
        row = connection.execute(select(SourceLedgerRow.__table__).where(*where)).mappings().first()
        if row is None:
            values = _values(entry)
            connection.execute(insert(SourceLedgerRow).values(log=log, **values))
        else:
            connection.execute(
                update(SourceLedgerRow).where(*where).values(**_values(_sum(_entry(row), entry)))
            )


def ledgers_of(store: Store, log: str) -> list[LedgerEntry]:
    """The ledgers of a log's sources, by name."""
    query = select(SourceLedgerRow.__table__).where(SourceLedgerRow.log == log)
    with store.read() as connection:
        rows = connection.execute(query.order_by(SourceLedgerRow.source)).mappings()
        return [_entry(row) for row in rows]


def note_lost(connection: Connection, log: str, first: int, end: int, what: str) -> None:
    """Note records that cannot be read any more."""
    row = {"log": log, "first": first, "end": end, "what": what}
    connection.execute(insert_or_update(LostRangeRow).values(**row).on_conflict_do_nothing())


def _position(connection: Connection, log: str, consumer: str) -> int | None:
    query = select(ConsumerPositionRow.sequence).where(
        ConsumerPositionRow.log == log, ConsumerPositionRow.consumer == consumer
    )
    return connection.scalar(query)


def _sum(old: LedgerEntry, new: LedgerEntry) -> LedgerEntry:
    sums = {name: getattr(old, name) + getattr(new, name) for name in _SUMS}
    return LedgerEntry(
        source=old.source,
        first_received_us=old.first_received_us,
        last_received_us=new.last_received_us,
        clock_skew_us=old.clock_skew_us if new.clock_skew_us is None else new.clock_skew_us,
        parsers=_added(old.parsers, new.parsers),
        reasons=_added(old.reasons, new.reasons),
        **sums,
    )


def _added(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    return dict(old) | {name: old.get(name, 0) + count for name, count in new.items()}


def _values(entry: LedgerEntry) -> dict[str, Any]:
    return asdict(entry) | {
        "parsers": json.dumps(dict(entry.parsers)),
        "reasons": json.dumps(dict(entry.reasons)),
    }


def _entry(row: Any) -> LedgerEntry:
    values = {name: value for name, value in row.items() if name != "log"}
    return LedgerEntry(**values | {name: _counts(row[name]) for name in ("parsers", "reasons")})


def _counts(stored: str) -> dict[str, int]:
    try:
        found = json.loads(stored)
    except ValueError as error:
        raise GarbledError("the counts of a ledger are no JSON") from error
    if not isinstance(found, dict) or not all(type(one) is int for one in found.values()):
        raise GarbledError("the counts of a ledger are no numbers by name")
    return found
