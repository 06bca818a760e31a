"""Rules that match so much that not every match gives a signal: told of while it lasts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

__all__ = ["Floods"]

OVER_S: Final = 120.0
"""A flood is over when nothing was braked for so long."""


class Alarms(Protocol):
    """Where it is told."""

    def raise_once(self, kind: str, subject: str, detail: str) -> bool:
        """Raise an alarm, where it is not raised."""

    def clear(self, kind: str, subject: str) -> None:
        """Clear it."""


class Floods:
    """What was braked since the start, by rule."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, str], int] = {}
        self._last: dict[tuple[str, str], float] = {}

    def take(self, braked: Iterable[tuple[str, str, int]]) -> None:
        """Note what a chunk tells: ids, titles, signals that were not given."""
        for rule_id, title, count in braked:
            rule = rule_id, title
            self._counts[rule] = self._counts.get(rule, 0) + count
            self._last[rule] = self._clock()

    def look(self, alarms: Alarms, set_gauge: Callable[[str, float], None]) -> None:
        """Tell of those that go on, and that others are over."""
        for (rule_id, title), count in self._counts.items():
            set_gauge(f'bigsec_rule_signals_braked{{rule="{rule_id}"}}', float(count))
            if (rule_id, title) not in self._last:
                continue
            if self._clock() - self._last[rule_id, title] > OVER_S:
                del self._last[rule_id, title]
                alarms.clear("rule_flood", rule_id)
            else:
                told = (
                    f"{count:,} matches of the rule {title!r} gave no signal: it matches too much"
                )
                alarms.raise_once("rule_flood", rule_id, told)
