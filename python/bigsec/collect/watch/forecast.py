"""When the disk will be full, and how far behind the reader of the log is."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["Backlog", "DiskForecast"]

SAMPLES_MAX: Final = 720
SPACING_S: Final = 60.0
"""Twelve hours of samples."""
SPAN_S_MIN: Final = 600.0
"""A forecast from less is a guess: a log that rolls or seals moves the free space by itself."""


class DiskForecast:
    """A straight line through the free space of the last hours."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES_MAX)

    def add(self, now_s: float, free_bytes: float) -> None:
        """Note the free space; more often than once a minute changes nothing."""
        if not self._samples or now_s - self._samples[-1][0] >= SPACING_S:
            self._samples.append((now_s, free_bytes))

    def seconds_left(self, free_bytes: float) -> float | None:
        """Until no byte is free; None where it does not shrink, or too little is known."""
        if not self._samples or self._samples[-1][0] - self._samples[0][0] < SPAN_S_MIN:
            return None
        slope = _slope(list(self._samples))
        return None if slope >= 0 else max(0.0, free_bytes) / -slope


class Backlog:
    """The age of the oldest record that was not looked at, from sizes of the log over time."""

    def __init__(self) -> None:
        self._sizes: deque[tuple[float, int]] = deque(maxlen=SAMPLES_MAX)

    def age_s(self, now_s: float, size: int, following: int) -> float:
        """size: records that stand; following: the first that was not looked at."""
        if not self._sizes or self._sizes[-1][1] != size:
            self._sizes.append((now_s, size))
        while self._sizes and self._sizes[0][1] <= following:
            self._sizes.popleft()
        return now_s - self._sizes[0][0] if self._sizes else 0.0


def _slope(samples: list[tuple[float, float]]) -> float:
    """Of the line with the least squares."""
    count = len(samples)
    mean_x = sum(x for x, _ in samples) / count
    mean_y = sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0
