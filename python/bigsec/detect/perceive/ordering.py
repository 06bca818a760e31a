"""Alerts in the order of their times, though they come late."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from bigsec.detect.perceive.settings import Alert

__all__ = ["InOrder"]


class InOrder:
    """Holds alerts back until none can come that belongs before them.

    lateness_s: an alert that comes later than this after a younger one is counted as late, and is
    given out at once: nothing is lost.
    """

    def __init__(self, lateness_s: float) -> None:
        self._lateness_s = lateness_s
        self._waiting: list[Alert] = []
        self._given_s = float("-inf")
        self._newest_s = float("-inf")
        self.late = 0

    def push(self, alert: Alert) -> Iterator[Alert]:
        """Take one; gives those whose turn has come, those of one time by detector, host, id."""
        if alert.time_s < self._given_s:
            self.late += 1
            yield alert._replace(time_s=self._given_s)
            return
        heappush(self._waiting, alert)
        self._newest_s = max(self._newest_s, alert.time_s)
        yield from self._until(self._newest_s - self._lateness_s)

    def flush(self) -> Iterator[Alert]:
        """Give out the rest."""
        yield from self._until(float("inf"))

    def _until(self, time_s: float) -> Iterator[Alert]:
        while self._waiting and self._waiting[0].time_s < time_s:
            alert = heappop(self._waiting)
            self._given_s = alert.time_s
            yield alert
