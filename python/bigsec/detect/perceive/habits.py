"""What fires where, and how often: learned without labels.

The time since the first alert is cut into bins. Of each detector on each host the bins are counted
in which it fired; the chance that it fires in a bin is their share, with what the detector does on
all hosts as the expectation for a host that is new to it. The surprise of an alert is the negative
logarithm of that chance. Where much is new every day anyhow, another new thing says less: the
number of pairs that were new lately is taken off, but not of those of the last hour, for an attack
must not hide itself.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from math import log2
from typing import Any

from bigsec.detect.perceive.settings import Perception

__all__ = ["Habits"]


class Habits:
    """How often each detector fires on each host."""

    def __init__(self, settings: Perception) -> None:
        self._settings = settings
        self._began_s: float | None = None
        # Pair → bins in which it fired, and the last of them; least recently used first.
        self._pairs: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        self._detectors: dict[str, int] = {}
        self._hosts: set[str] = set()
        self._news = 0.0
        self._news_at_s = 0.0
        self._fresh: deque[float] = deque()

    def bits(self, time_s: float, detector: str, host: str) -> float | None:
        """How surprising it is that this fires now; None where it fired in this bin already."""
        settings = self._settings
        if self._began_s is None:
            self._began_s = self._news_at_s = time_s
        number = int(time_s // settings.bin_s)
        pair = (host, detector)
        count, last = self._pairs.get(pair, (0, number - 1))
        if last >= number:
            return None
        age_s = time_s - self._began_s
        bins = max(1.0, age_s / settings.bin_s)
        self._remember(pair, count + 1, number)
        elsewhere = (self._detectors.get(detector, 0) + 0.5) / (bins * len(self._hosts) + 1)
        self._detectors[detector] = self._detectors.get(detector, 0) + 1
        bits = log2((bins + 2) / (count + min(2 * elsewhere, 1.0)))
        bits = min(bits - log2(1 + self._news_of(time_s)), settings.bits_max)
        if count == 0:
            self._fresh.append(time_s)
        return bits * min(1.0, age_s / settings.learning_s + 0.2)

    def _news_of(self, time_s: float) -> float:
        """How many pairs were new lately, those of the last campaign's length left out."""
        settings = self._settings
        self._news *= 0.5 ** ((time_s - self._news_at_s) / settings.news_s)
        self._news_at_s = time_s
        while self._fresh and self._fresh[0] < time_s - settings.campaign_s:
            self._fresh.popleft()
            self._news += 1
        return self._news

    def _remember(self, pair: tuple[str, str], count: int, number: int) -> None:
        self._pairs[pair] = (count, number)
        self._pairs.move_to_end(pair)
        if len(self._hosts) < self._settings.pairs_max:
            self._hosts.add(pair[0])
        if len(self._pairs) > self._settings.pairs_max:
            (_, detector), (gone, _) = self._pairs.popitem(last=False)
            left = self._detectors.get(detector, 0) - gone
            if left > 0:
                self._detectors[detector] = left
            else:
                self._detectors.pop(detector, None)

    def state(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "began_s": self._began_s,
            "pairs": [[*pair, *told] for pair, told in self._pairs.items()],
            "detectors": self._detectors,
            "hosts": sorted(self._hosts),
            "news": [self._news, self._news_at_s, list(self._fresh)],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._began_s = state["began_s"]
        told = state["pairs"]
        self._pairs = OrderedDict(((host, name), (n, last)) for host, name, n, last in told)
        self._detectors = dict(state["detectors"])
        self._hosts = set(state["hosts"])
        self._news, self._news_at_s, fresh = state["news"]
        self._fresh = deque(fresh)
