"""Lists of incidents, page by page, and a store in numbers."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final, cast

import orjson
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from bigsec.detect.levels import LEVELS, Level, level_of, severity_of
from bigsec.detect.model import (
    Answer,
    Confidence,
    Incident,
    IncidentFilter,
    IncidentPage,
    Order,
    Summary,
)
from bigsec.detect.moments import from_us, to_us
from bigsec.detect.signal import Result
from bigsec.detect.silencing import all_silenced
from bigsec.detect.stored import read_object, read_texts, sound
from bigsec.store import GarbledError, Store
from bigsec.store.model import (
    EventRow,
    IncidentEntityRow,
    IncidentRow,
    IncidentSignalRow,
    SignalRow,
)

__all__ = ["COLUMNS", "incident_fields", "page", "store_summary"]

LIMIT_MAX: Final = 1000
TOTAL_MAX: Final = 10_000
"""Incidents that are counted exactly: a page must not wait for a count of millions."""

_BIG: Final = 1 << 63
"""What no 64-bit column can hold."""

_ORDERS: Final[dict[str, tuple[Any, ...]]] = {
    "level": (IncidentRow.severity_id, IncidentRow.last_us, IncidentRow.incident_id),
    "time": (IncidentRow.last_us, IncidentRow.incident_id),
}
"""Each is an index, read backwards."""

COLUMNS: Final = (
    IncidentRow.incident_id,
    IncidentRow.number,
    IncidentRow.title_en,
    IncidentRow.title_zh,
    IncidentRow.severity_id,
    IncidentRow.result,
    IncidentRow.confidence,
    IncidentRow.first_us,
    IncidentRow.last_us,
    IncidentRow.source,
    IncidentRow.method,
    IncidentRow.target,
    IncidentRow.weakness,
    IncidentRow.tactics,
    IncidentRow.rules,
    IncidentRow.signal_count,
    IncidentRow.event_count,
)
"""What an `Incident` is made of."""


def page(
    store: Store, where: IncidentFilter, *, limit: int, after: str | None, order: Order
) -> IncidentPage:
    """One page of a list. Raises ValueError for a limit or a cursor that is not one."""
    if not 1 <= limit <= LIMIT_MAX:
        raise ValueError(f"limit is {limit}, not 1 to {LIMIT_MAX}")
    if order not in _ORDERS:
        raise ValueError(f"no order `{order}`; the orders are {' and '.join(_ORDERS)}")
    columns = _ORDERS[order]
    conditions = _conditions(where)
    place = None if after is None else _position(after, order)
    with store.read() as connection, sound("a silence"):
        quiet = None if where.silenced else all_silenced(connection)
        silenced = 0
        if quiet is not None:
            silenced = min(connection.scalar(_count([*conditions, quiet])) or 0, TOTAL_MAX)
            conditions.append(~quiet)
        query = select(*COLUMNS).where(*conditions)
        if place is not None:
            query = query.where(tuple_(*columns) < tuple_(*map(literal, place)))
        query = query.order_by(*(column.desc() for column in columns)).limit(limit + 1)
        rows = connection.execute(query).mappings().all()
        shown = [Incident(**incident_fields(row)) for row in rows[:limit]]
        total = connection.scalar(_count(conditions)) or 0
    last = rows[limit - 1] if len(rows) > limit else None
    return IncidentPage(
        incidents=tuple(shown),
        next=None if last is None else _cursor(order, [last[column.key] for column in columns]),
        total=min(total, TOTAL_MAX),
        total_exact=total <= TOTAL_MAX,
        silenced=silenced,
    )


def store_summary(store: Store) -> Summary:
    """A store in numbers."""
    levels = select(IncidentRow.severity_id, func.count()).group_by(IncidentRow.severity_id)
    ends = select(func.min(SignalRow.time_us), func.max(SignalRow.time_us), func.count())
    with store.read() as connection:
        counts = dict(connection.execute(levels).all())
        first, last, signals = connection.execute(ends).one()
        events = connection.scalar(select(func.count()).select_from(EventRow)) or 0
        with sound("a signal"):
            return Summary(
                incidents=sum(counts.values()),
                signals=signals,
                events=events,
                first=None if first is None else from_us(first),
                last=None if last is None else from_us(last),
                levels=_by_level(counts),
            )


def _by_level(counts: dict[int, int]) -> dict[Level, int]:
    found: dict[Level, int] = dict.fromkeys(reversed(LEVELS), 0)
    for severity, count in counts.items():
        found[level_of(severity)] += count
    return found


def incident_fields(row: Any) -> dict[str, Any]:
    """The fields of an `Incident` from a row of `COLUMNS`."""
    with sound("an incident"):
        if not isinstance(row["incident_id"], str):
            raise GarbledError("the id of an incident is no text")
        return _fields(row)


def _fields(row: Any) -> dict[str, Any]:
    severity_id: int = row["severity_id"]
    return {
        "incident_id": row["incident_id"],
        "number": row["number"],
        "title_en": row["title_en"],
        "title_zh": row["title_zh"],
        "level": level_of(severity_id),
        "severity_id": severity_id,
        "result": cast(Result, row["result"]),
        "confidence": cast(Confidence, row["confidence"]),
        "first": from_us(row["first_us"]),
        "last": from_us(row["last_us"]),
        "source": _answer(row["source"]),
        "method": _answer(row["method"]),
        "target": _answer(row["target"]),
        "weakness": _answer(row["weakness"]),
        "attack_tactics": read_texts(row["tactics"]),
        "rules": row["rules"],
        "signal_count": row["signal_count"],
        "event_count": row["event_count"],
    }


def _answer(text: str) -> Answer:
    row = read_object(text)
    return Answer(tuple(row["values"]), row["total"], row["reason"])


def _conditions(where: IncidentFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.level is not None:
        found.append(IncidentRow.severity_id >= severity_of(where.level))
    if where.since is not None:
        found.append(IncidentRow.last_us >= to_us(where.since))
    if where.until is not None:
        found.append(IncidentRow.first_us < to_us(where.until))
    if where.result is not None:
        found.append(IncidentRow.result == where.result)
    if where.entity is not None:
        # Not `EXISTS`, which would be asked for each incident in the order of the list: an entity
        # is in few of them.
        own = select(IncidentEntityRow.incident_id).where(IncidentEntityRow.value == where.entity)
        found.append(IncidentRow.incident_id.in_(own))
    if where.source is not None:
        found.append(
            exists()
            .where(IncidentSignalRow.incident_id == IncidentRow.incident_id)
            .where(SignalRow.signal_id == IncidentSignalRow.signal_id)
            .where(SignalRow.source == where.source)
        )
    if where.text:
        found.append(_speaks_of(where.text))
    return found


def _speaks_of(text: str) -> ColumnElement[bool]:
    # SQLite knows the case of ASCII letters alone, so the text is folded no further.
    folded = "".join(one.lower() if one.isascii() else one for one in text)

    def part_of(column: Any) -> ColumnElement[bool]:
        return func.lower(column).contains(folded, autoescape=True)

    return or_(
        part_of(IncidentRow.title_en),
        part_of(IncidentRow.title_zh),
        part_of(IncidentRow.number),
        _has_entity(part_of(IncidentEntityRow.value)),
    )


def _has_entity(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    own = IncidentEntityRow.incident_id == IncidentRow.incident_id
    return exists().where(and_(own, condition))


def _count(conditions: list[ColumnElement[bool]]) -> Select[int]:
    some = select(IncidentRow.incident_id).where(*conditions).limit(TOTAL_MAX + 1)
    return select(func.count()).select_from(some.subquery())


def _cursor(order: Order, position: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([order, *position])).decode().rstrip("=")


def _position(cursor: str, order: Order) -> list[Any]:
    wanted = (str, *(int for _ in _ORDERS[order][1:]), str)
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        given = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("the cursor is not one that a list gave") from None
    fits = isinstance(given, list) and tuple(map(type, given)) == wanted
    if not fits or given[0] != order:
        raise ValueError("the cursor is not one of a list in this order")
    position: list[Any] = given[1:]
    if any(isinstance(one, int) and abs(one) >= _BIG for one in position):
        raise ValueError("the cursor is not one that a list gave")
    return position
