"""How many incidents have each level, counted no further than a list counts its total."""

from __future__ import annotations

from sqlalchemy import func, select

from bigsec.detect.levels import LEVELS, Level, severity_of
from bigsec.detect.queries import TOTAL_MAX
from bigsec.store import Store
from bigsec.store.model import IncidentRow

__all__ = ["level_counts"]


def level_counts(store: Store) -> dict[Level, int]:
    """Incidents by level, highest first, every level present; 10,001 stands for more than 10,000.

    A store of millions answers in milliseconds, because no more rows than these are read.
    """
    found: dict[Level, int] = {}
    with store.read() as connection:
        for level in reversed(LEVELS):
            some = (
                select(IncidentRow.incident_id)
                .where(IncidentRow.severity_id == severity_of(level))
                .limit(TOTAL_MAX + 1)
            )
            counted = select(func.count()).select_from(some.subquery())
            found[level] = connection.scalar(counted) or 0
    return found
