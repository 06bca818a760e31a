"""The stored events, page by page, and one event with the signals that speak of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import (
    JSON,
    ColumnElement,
    Text,
    and_,
    cast,
    exists,
    func,
    select,
    tuple_,
    type_coerce,
)

from bigsec.detect.levels import Level, level_of
from bigsec.detect.moments import from_us, to_us
from bigsec.detect.signal import Evidence
from bigsec.detect.stored import read_object, sound
from bigsec.errors import NotFoundError, Problem
from bigsec.store import Store
from bigsec.store.model import (
    EventRow,
    IncidentRow,
    IncidentSignalRow,
    SignalEventRow,
    SignalRow,
)

__all__ = [
    "EventDetail",
    "EventFilter",
    "EventPage",
    "EventSignal",
    "get_event",
    "list_events",
]

LIMIT_MAX: Final = 1000
TOTAL_MAX: Final = 10_000
FIELDS_MAX: Final = 5
SIGNALS_MAX: Final = 100
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,5}")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_BIG: Final = 1 << 63
"""What no 64-bit column can hold."""
_ORDER: Final = (EventRow.time_effective_us, EventRow.event_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events a list shows; what is None does not filter.

    since, until: `time_effective` in [since, until). source, parser: exact. rule_id: events that a
    signal of the rule speaks of. text: part of the record's text, without regard to the case of
    ASCII letters. fields: exact value by path of a column of the event schema (`src_ip`,
    `process.cmd_line`), at most 5.
    """

    since: datetime | None = None
    until: datetime | None = None
    source: str | None = None
    parser: str | None = None
    rule_id: str | None = None
    text: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """A part of a list, latest first. next, total, total_exact: as of `IncidentPage`."""

    events: tuple[Evidence, ...]
    next: str | None
    total: int
    total_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSignal:
    """A signal that speaks of an event. incident: its number, None while it waits."""

    signal_id: str
    rule_id: str
    rule_title: str
    level: Level
    incident: str | None

    def to_dict(self) -> dict[str, str | None]:
        """For programs."""
        return {
            "signal_id": self.signal_id,
            "rule_id": self.rule_id,
            "rule_title": self.rule_title,
            "level": self.level,
            "incident": self.incident,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDetail:
    """An event, and the first 100 signals that speak of it, highest level first."""

    event: Evidence
    signals: tuple[EventSignal, ...]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return self.event.to_dict() | {"signals": [one.to_dict() for one in self.signals]}


def list_events(
    store: Store, where: EventFilter, *, limit: int = 50, after: str | None = None
) -> EventPage:
    """One page of events. Raises ValueError for a limit, a field or a cursor that is not one."""
    if not 1 <= limit <= LIMIT_MAX:
        raise ValueError(f"limit is {limit}, not 1 to {LIMIT_MAX}")
    conditions = _conditions(where)
    query = select(EventRow.__table__).where(*conditions)
    if after is not None:
        query = query.where(tuple_(*_ORDER) < _position(after))
    query = query.order_by(*(column.desc() for column in _ORDER)).limit(limit + 1)
    some = select(EventRow.event_id).where(*conditions).limit(TOTAL_MAX + 1)
    with store.read() as connection:
        rows = connection.execute(query).mappings().all()
        total = connection.scalar(select(func.count()).select_from(some.subquery())) or 0
        shown = rows[:limit]
        with sound("an event"):
            events = tuple(_evidence(row) for row in shown)
    more = len(rows) > limit
    return EventPage(
        events=events,
        next=_cursor(shown[-1]) if more else None,
        total=min(total, TOTAL_MAX),
        total_exact=total <= TOTAL_MAX,
    )


def get_event(store: Store, event_id: str) -> EventDetail:
    """An event by its whole id. Raises NotFoundError."""
    given = event_id.strip().lower()
    if not _ID.fullmatch(given):
        raise _not_found(f"{event_id[:80]!r} is no event id", "An id has 32 hexadecimal digits.")
    signals = (
        select(
            SignalRow.signal_id,
            SignalRow.rule_id,
            SignalRow.rule_title,
            SignalRow.severity_id,
            IncidentRow.number,
        )
        .join(SignalEventRow, SignalEventRow.signal_id == SignalRow.signal_id)
        .outerjoin(IncidentSignalRow, IncidentSignalRow.signal_id == SignalRow.signal_id)
        .outerjoin(IncidentRow, IncidentRow.incident_id == IncidentSignalRow.incident_id)
        .where(SignalEventRow.event_id == given)
        .order_by(SignalRow.severity_id.desc(), SignalRow.time_us, SignalRow.signal_id)
        .limit(SIGNALS_MAX)
    )
    with store.read() as connection:
        row = (
            connection.execute(select(EventRow.__table__).where(EventRow.event_id == given))
            .mappings()
            .first()
        )
        if row is None:
            mend = "Events that no signal speaks of are not stored."
            raise _not_found(f"no event has the id {given}", mend)
        found = connection.execute(signals).all()
        with sound("an event and its signals"):
            return EventDetail(
                event=_evidence(row),
                signals=tuple(
                    EventSignal(
                        signal_id=signal_id,
                        rule_id=rule_id,
                        rule_title=title,
                        level=level_of(severity_id),
                        incident=number,
                    )
                    for signal_id, rule_id, title, severity_id, number in found
                ),
            )


def _conditions(where: EventFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.since is not None:
        found.append(EventRow.time_effective_us >= to_us(where.since))
    if where.until is not None:
        found.append(EventRow.time_effective_us < to_us(where.until))
    if where.source is not None:
        found.append(EventRow.source == where.source)
    if where.parser is not None:
        found.append(EventRow.parser == where.parser)
    if where.rule_id is not None:
        own = SignalEventRow.event_id == EventRow.event_id
        of_rule = and_(SignalRow.signal_id == SignalEventRow.signal_id, own)
        found.append(exists().where(of_rule).where(SignalRow.rule_id == where.rule_id))
    if where.text:
        folded = "".join(one.lower() if one.isascii() else one for one in where.text)
        found.append(func.lower(EventRow.raw).contains(folded, autoescape=True))
    if len(where.fields) > FIELDS_MAX:
        raise ValueError(f"at most {FIELDS_MAX} fields can be asked for at a time")
    found.extend(_field_is(path, value) for path, value in where.fields.items())
    return found


def _field_is(path: str, value: str) -> ColumnElement[bool]:
    if not _FIELD.fullmatch(path):
        raise ValueError(f"`{path[:80]}` is not the path of an event's field")
    document: Any = type_coerce(EventRow.ocsf, JSON)
    found = document[tuple(path.split("."))].as_string()
    return cast(found, Text) == value


def _evidence(row: Any) -> Evidence:
    return Evidence(
        event_id=row["event_id"],
        time=None if row["time_us"] is None else from_us(row["time_us"]),
        time_effective=from_us(row["time_effective_us"]),
        source=row["source"],
        parser=row["parser"],
        raw=row["raw"],
        ocsf=read_object(row["ocsf"]),
    )


def _cursor(row: Any) -> str:
    position = [row["time_effective_us"], row["event_id"]]
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def _position(cursor: str) -> Any:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        given = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("the cursor is not one that a list gave") from None
    fits = isinstance(given, list) and tuple(map(type, given)) == (int, str)
    if not fits or abs(given[0]) >= _BIG:
        raise ValueError("the cursor is not one of a list of events")
    return tuple_(*given)


def _not_found(message: str, mend: str) -> NotFoundError:
    code, name = "BS3106", "store.no_such_thing"
    return NotFoundError(code, name, message, (Problem(code, name, message, mend=mend),))
