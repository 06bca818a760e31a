"""What the incident list shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bigsec.detect import LEVELS, Incident, Level, Summary
from bigsec_api.views.filters import COLUMNS, ListState

__all__ = ["ListView", "Tab", "tabs"]

PERIODS: Final = ("-1h", "-24h", "-7d", "-30d")


@dataclass(frozen=True, slots=True)
class Tab:
    """A level that the list can be narrowed to. count: None where it is not known."""

    level: Level | None
    count: int | None
    link: str
    current: bool


@dataclass(frozen=True, slots=True)
class ListView:
    """One page of incidents. wrong_time: what stands in a filter for a time and is none."""

    state: ListState
    incidents: tuple[Incident, ...] = ()
    total: int = 0
    total_exact: bool = True
    next_link: str | None = None
    tabs: tuple[Tab, ...] = ()
    wrong_time: str | None = None
    levels: tuple[Level, ...] = field(default=tuple(reversed(LEVELS)))
    all_columns: tuple[str, ...] = COLUMNS
    periods: tuple[str, ...] = PERIODS
    results: tuple[str, ...] = ("success", "attempt", "failed", "unknown")


def tabs(state: ListState, numbers: Summary | None) -> tuple[Tab, ...]:
    """All, then each level and above, with the counts of what the link shows."""
    counts = None if numbers is None else numbers.levels
    made = [
        Tab(
            None,
            None if numbers is None else numbers.incidents,
            state.link(level=None),
            state.level is None,
        )
    ]
    above = 0
    for level in reversed(LEVELS):
        above += 0 if counts is None else counts.get(level, 0)
        count = None if counts is None else above
        made.append(Tab(level, count, state.link(level=level), state.level == level))
    # The lowest level and above is everything, which stands first already.
    return tuple(made[:-1])
