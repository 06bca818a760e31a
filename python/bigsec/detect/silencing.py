"""Silences: maintenance, known scanners, a rule that is being mended.

A silence has an owner, a reason and an end. Signals in its time that it fits stay what they are and
are counted; an incident of which every signal is silenced is left out of lists, until somebody asks
for it. Nothing is thrown away, and what a silence hides can be seen before it is made.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, or_, select, update

from bigsec.detect.moments import from_us, to_text, to_us, utc_now
from bigsec.errors import NotFoundError, Problem
from bigsec.store import Store, written_beside
from bigsec.store.model import IncidentRow, IncidentSignalRow, SignalEntityRow, SignalRow
from bigsec.store.silence_model import SilenceRow

__all__ = [
    "Hidden",
    "Silence",
    "add_silence",
    "all_silenced",
    "end_silence",
    "list_silences",
    "preview",
    "silences_on",
]

LONGEST: Final = timedelta(days=366)
TEXT_MAX: Final = 500
NUMBERS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What is silenced: signals of [starts, ends) that have all that is set of the three."""

    owner: str
    reason: str
    starts: datetime
    ends: datetime
    rule_id: str | None = None
    entity: str | None = None
    source: str | None = None
    silence_id: str = ""

    def __post_init__(self) -> None:
        for name in ("owner", "reason"):
            text = getattr(self, name).strip()
            if not 1 <= len(text) <= TEXT_MAX or not text.isprintable():
                raise ValueError(f"a silence has a {name}, of at most {TEXT_MAX} characters")
        if not (self.rule_id or self.entity or self.source):
            raise ValueError("a silence names a rule, an entity or a source")
        if not timedelta(0) < self.ends - self.starts <= LONGEST:
            raise ValueError(f"a silence ends after it starts, and within {LONGEST.days} days")

    def fits(self) -> ColumnElement[bool]:
        """That a row of `SignalRow` is silenced by it."""
        wanted: list[ColumnElement[bool]] = [
            SignalRow.time_us >= to_us(self.starts),
            SignalRow.time_us < to_us(self.ends),
        ]
        if self.rule_id:
            wanted.append(SignalRow.rule_id == self.rule_id)
        if self.source:
            wanted.append(SignalRow.source == self.source)
        if self.entity:
            wanted.append(
                exists()
                .where(SignalEntityRow.signal_id == SignalRow.signal_id)
                .where(SignalEntityRow.value == self.entity)
            )
        return and_(*wanted)

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "silence_id": self.silence_id,
            "owner": self.owner,
            "reason": self.reason,
            "starts": to_text(self.starts),
            "ends": to_text(self.ends),
            "rule_id": self.rule_id,
            "entity": self.entity,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """What a silence hides of what is stored: signals, incidents wholly, and some of these."""

    signals: int
    incidents: int
    numbers: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        numbers = list(self.numbers)
        return {"signals": self.signals, "incidents": self.incidents, "numbers": numbers}


def add_silence(folder: str | os.PathLike[str], silence: Silence) -> Silence:
    """Keep a silence in the store of a folder; gives it with its id."""
    values = {
        "silence_id": secrets.token_hex(4),
        "owner": silence.owner.strip(),
        "reason": silence.reason.strip(),
        "starts_us": to_us(silence.starts),
        "ends_us": to_us(silence.ends),
        "rule_id": silence.rule_id,
        "entity": silence.entity,
        "source": silence.source,
        "created_us": to_us(utc_now()),
    }
    with written_beside(folder, create=False) as store, store.write() as connection:
        connection.execute(insert(SilenceRow).values(values))
    return _silence(values)


def list_silences(store: Store) -> tuple[Silence, ...]:
    """All that were ever made, the one that ends last first."""
    with store.read() as connection:
        return _all(connection)


def end_silence(folder: str | os.PathLike[str], silence_id: str) -> Silence:
    """End a silence now; what it silenced until then stays silenced. Raises NotFoundError."""
    now_us = to_us(utc_now())
    with written_beside(folder, create=False) as store, store.write() as connection:
        found = [one for one in _all(connection) if one.silence_id == silence_id]
        if not found:
            raise _not_found(silence_id)
        starts_us, ends_us = to_us(found[0].starts), to_us(found[0].ends)
        ends_us = max(starts_us + 1, min(ends_us, now_us))
        connection.execute(
            update(SilenceRow).where(SilenceRow.silence_id == silence_id).values(ends_us=ends_us)
        )
        return next(one for one in _all(connection) if one.silence_id == silence_id)


def preview(store: Store, silence: Silence) -> Hidden:
    """What a silence would hide of what is stored, beside those that there are."""
    with store.read() as connection:
        signals = select(func.count()).select_from(SignalRow).where(silence.fits())
        touched = _any_signal(silence.fits())
        wholly = and_(touched, ~_any_signal(~or_(_is_silenced(), silence.fits())), ~_whole())
        numbers = select(IncidentRow.number).where(wholly).order_by(IncidentRow.last_us.desc())
        incidents = select(func.count()).select_from(IncidentRow).where(wholly)
        return Hidden(
            signals=connection.scalar(signals) or 0,
            incidents=connection.scalar(incidents) or 0,
            numbers=tuple(connection.scalars(numbers.limit(NUMBERS_MAX))),
        )


def all_silenced(connection: Connection) -> ColumnElement[bool] | None:
    """That every signal of a row of `IncidentRow` is silenced; None where there is no silence."""
    known = connection.scalar(select(exists().where(SilenceRow.silence_id.is_not(None))))
    return _whole() if known else None


def silences_on(
    connection: Connection, incident_id: str
) -> tuple[int, tuple[tuple[Silence, int], ...]]:
    """How many signals of an incident are silenced, and by which silences, with their counts."""
    own = (
        select(SilenceRow.silence_id, func.count(SignalRow.signal_id))
        .select_from(IncidentSignalRow)
        .join(SignalRow, SignalRow.signal_id == IncidentSignalRow.signal_id)
        .join(SilenceRow, _fits_signal())
        .where(IncidentSignalRow.incident_id == incident_id)
        .group_by(SilenceRow.silence_id)
    )
    counts: dict[str, int] = dict(connection.execute(own).all())
    if not counts:
        return 0, ()
    total = (
        select(func.count(SignalRow.signal_id))
        .join(IncidentSignalRow, IncidentSignalRow.signal_id == SignalRow.signal_id)
        .where(IncidentSignalRow.incident_id == incident_id)
        .where(_is_silenced())
    )
    found = [one for one in _all(connection) if one.silence_id in counts]
    with_counts = tuple((one, counts[one.silence_id]) for one in found)
    return connection.scalar(total) or 0, with_counts


def _fits_signal() -> ColumnElement[bool]:
    """That a row of `SilenceRow` fits a row of `SignalRow`."""
    names = (
        exists()
        .where(SignalEntityRow.signal_id == SignalRow.signal_id)
        .where(SignalEntityRow.value == SilenceRow.entity)
        .correlate(SignalRow, SilenceRow)
    )
    return and_(
        SilenceRow.starts_us <= SignalRow.time_us,
        SilenceRow.ends_us > SignalRow.time_us,
        or_(SilenceRow.rule_id.is_(None), SilenceRow.rule_id == SignalRow.rule_id),
        or_(SilenceRow.source.is_(None), SilenceRow.source == SignalRow.source),
        or_(SilenceRow.entity.is_(None), names),
    )


def _is_silenced() -> ColumnElement[bool]:
    """That a row of `SignalRow` is silenced by any silence: by a join, however many there are."""
    return exists().where(_fits_signal()).correlate(SignalRow)


def _any_signal(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """That a row of `IncidentRow` has a signal of which this holds."""
    return (
        exists()
        .where(IncidentSignalRow.incident_id == IncidentRow.incident_id)
        .where(SignalRow.signal_id == IncidentSignalRow.signal_id)
        .where(condition)
        .correlate(IncidentRow)
    )


def _whole() -> ColumnElement[bool]:
    """That an incident has no signal that nobody silenced."""
    return ~_any_signal(~_is_silenced())


def _all(connection: Connection) -> tuple[Silence, ...]:
    query = select(SilenceRow.__table__).order_by(SilenceRow.ends_us.desc(), SilenceRow.silence_id)
    return tuple(_silence(dict(row)) for row in connection.execute(query).mappings())


def _silence(row: dict[str, Any]) -> Silence:
    return Silence(
        silence_id=row["silence_id"],
        owner=row["owner"],
        reason=row["reason"],
        starts=from_us(row["starts_us"]),
        ends=from_us(row["ends_us"]),
        rule_id=row["rule_id"],
        entity=row["entity"],
        source=row["source"],
    )


def _not_found(silence_id: str) -> NotFoundError:
    code, name = "BS3106", "store.no_such_thing"
    message = f"no silence has the id {silence_id[:80]!r}"
    mend = "`bigsec silence list` shows what there is."
    return NotFoundError(code, name, message, (Problem(code, name, message, mend=mend),))
