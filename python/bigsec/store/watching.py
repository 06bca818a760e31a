"""What the platform remembers about itself: rhythms of its sources, and what is amiss."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from bigsec.store.database import Store
from bigsec.store.log_model import AlarmRow, SourceRhythmRow

__all__ = ["read_alarms", "read_rhythms", "write_alarms", "write_rhythms"]

Alarm = tuple[str, str]


def read_rhythms(store: Store) -> dict[str, str]:
    """The learned distribution of each source, as it was written."""
    columns = (SourceRhythmRow.source, SourceRhythmRow.gaps)
    with store.read() as connection:
        return {row.source: row.gaps for row in connection.execute(select(*columns))}


def write_rhythms(store: Store, rhythms: Mapping[str, str]) -> None:
    """Keep the learned distributions named."""
    now_us = time.time_ns() // 1000
    with store.write() as connection:
        for source, gaps in rhythms.items():
            values = {"gaps": gaps, "updated_us": now_us}
            statement = insert(SourceRhythmRow).values(source=source, **values)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["source"], set_=values)
            )


def read_alarms(store: Store) -> dict[Alarm, int]:
    """What is amiss, by kind and subject, and since when."""
    columns = (AlarmRow.kind, AlarmRow.subject, AlarmRow.raised_us)
    with store.read() as connection:
        rows = connection.execute(select(*columns))
        return {(kind, subject): raised_us for kind, subject, raised_us in rows}


def write_alarms(store: Store, raised: Mapping[Alarm, int], cleared: Iterable[Alarm]) -> None:
    """Note what has begun and what has ended."""
    with store.write() as connection:
        for (kind, subject), raised_us in raised.items():
            row = {"kind": kind, "subject": subject, "raised_us": raised_us}
            connection.execute(insert(AlarmRow).values(**row).on_conflict_do_nothing())
        for kind, subject in cleared:
            where = (AlarmRow.kind == kind, AlarmRow.subject == subject)
            connection.execute(delete(AlarmRow).where(*where))
