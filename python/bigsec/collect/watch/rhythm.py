"""How long a source is usually silent, learned from it alone.

Every gap is counted by its own length: the distribution says in how long a gap a moment taken at
random lies. A busy source that sleeps every night has gaps of milliseconds and one of eight hours;
counted by number the long one would vanish, counted by length it is a third of the day.
"""

from __future__ import annotations

import json
import math
from typing import Final

__all__ = ["Rhythm"]

STEP: Final = math.log(1.25)
"""Gaps that differ by less than a quarter are the same."""
BUCKETS: Final = range(-20, 81)
"""From a hundredth of a second to a year and a half."""
HALF_LIFE_S: Final = 14 * 86_400
"""A source that changes its habits is known anew after a few weeks."""
QUANTILE: Final = 0.99
OUTAGE_SHARE: Final = 0.25
"""What is left of the weight of a gap that raised an alarm: a silence that comes every night is
learned in a few days, a single outage is not."""


class Rhythm:
    """The distribution of one source's gaps."""

    def __init__(self, weights: dict[int, float] | None = None) -> None:
        self._weights = weights or {}

    @classmethod
    def read(cls, written: str) -> Rhythm:
        """From its written form; what cannot be read is a source that is not known yet."""
        try:
            found = json.loads(written)
            pairs = {int(bucket): float(weight) for bucket, weight in found}
        except (ValueError, TypeError):
            return cls()
        sound = all(one in BUCKETS and 0 <= weight < math.inf for one, weight in pairs.items())
        return cls(pairs if sound else None)

    def written(self) -> str:
        """As text, to be kept."""
        return json.dumps(
            [[one, round(weight, 3)] for one, weight in sorted(self._weights.items())]
        )

    def add(self, gap_s: float, *, was_alarm: bool = False) -> None:
        """Learn of a gap that has ended."""
        if not 0 < gap_s < math.inf:
            return
        kept = 0.5 ** (gap_s / HALF_LIFE_S)
        self._weights = {one: weight * kept for one, weight in self._weights.items()}
        bucket = min(max(math.ceil(math.log(gap_s) / STEP), BUCKETS[0]), BUCKETS[-1])
        weight = gap_s * (OUTAGE_SHARE if was_alarm else 1.0)
        self._weights[bucket] = self._weights.get(bucket, 0.0) + weight

    def usual_longest_s(self) -> float | None:
        """The gap in or below which 99 % of all time lies; None where nothing is known."""
        total = sum(self._weights.values())
        if total <= 0:
            return None
        seen = 0.0
        for bucket in sorted(self._weights):
            seen += self._weights[bucket]
            if seen >= QUANTILE * total:
                break
        return math.exp(bucket * STEP)
