"""What the incident list shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bigsec.detect import LEVELS, Incident, Level
from bigsec.detect.queries import TOTAL_MAX
from bigsec_api.views.filters import COLUMNS, ListState

__all__ = ["ListView", "Tab", "tabs"]

PERIODS: Final = ("-1h", "-24h", "-7d", "-30d")


@dataclass(frozen=True, slots=True)
class Tab:
    """A level that the list can be narrowed to. count: None where it is not known.

    exact: whether there are so many, and not more.
    """

    level: Level | None
    count: int | None
    exact: bool
    link: str
    current: bool


@dataclass(frozen=True, slots=True)
class ListView:
    """One page of incidents. wrong_time: what stands in a filter for a time and is none."""

    state: ListState
    incidents: tuple[Incident, ...] = ()
    total: int = 0
    total_exact: bool = True
    silenced: int = 0
    next_link: str | None = None
    tabs: tuple[Tab, ...] = ()
    wrong_time: str | None = None
    levels: tuple[Level, ...] = field(default=tuple(reversed(LEVELS)))
    all_columns: tuple[str, ...] = COLUMNS
    periods: tuple[str, ...] = PERIODS
    results: tuple[str, ...] = ("success", "attempt", "failed", "unknown")


def tabs(state: ListState, counts: Mapping[Level, int] | None) -> tuple[Tab, ...]:
    """All, then each level and above, with the counts of what the link shows."""
    made: list[Tab] = []
    above = 0
    for level in reversed(LEVELS):
        above += 0 if counts is None else counts[level]
        # The lowest level and above is everything, which stands first.
        lowest = level == LEVELS[0]
        wanted = None if lowest else level
        tab = Tab(
            level=wanted,
            count=None if counts is None else min(above, TOTAL_MAX),
            exact=above <= TOTAL_MAX,
            link=state.link(level=wanted),
            current=state.level == wanted,
        )
        made.insert(0 if lowest else len(made), tab)
    return tuple(made)
