"""An incident, what it is made of, and the campaign that it is part of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bigsec.detect.perceive.sensors import Method
from bigsec.detect.perceive.settings import Perception

__all__ = ["Campaign", "Incident", "Part"]


@dataclass(slots=True)
class Part:
    """What one detector on one host says in an incident.

    bits: its surprise by its weight. moment: when it said so first, in settings.moment_s.
    """

    host: str
    detector: str
    bits: float
    moment: int
    count: int = 1


@dataclass(slots=True)
class Campaign:
    """Incidents that belong together: near in time, on one host or on several at once."""

    number: int
    last_s: float
    hosts: set[str] = field(default_factory=set)
    incidents: list[int] = field(default_factory=list)
    raised_s: float | None = None
    score: float = 0.0


@dataclass(slots=True)
class Incident:
    """Alerts of one method in one place."""

    number: int
    method: Method
    campaign: int
    first_s: float
    last_s: float
    hosts: set[str] = field(default_factory=set)
    parts: dict[tuple[str, str], Part] = field(default_factory=dict)
    count: int = 0
    score: float = 0.0
    raised_s: float | None = None
    total: float = 0.0
    """Bits before `alone`."""
    _most: dict[tuple[str, int], float] = field(default_factory=dict)
    _detectors: set[str] = field(default_factory=set)

    def is_open(self, time_s: float, settings: Perception) -> bool:
        """Whether an alert at this time would still belong to it."""
        return time_s - self.last_s <= settings.gap_s

    def add(self, time_s: float, host: str, settings: Perception) -> None:
        """Count an alert."""
        self.last_s = time_s
        self.count += 1
        if len(self.hosts) < settings.parts_max:
            self.hosts.add(host)

    def say(self, time_s: float, pair: tuple[str, str], bits: float, settings: Perception) -> float:
        """Take what a detector says; gives by how much that changes the score.

        pair: host, detector. Of one moment on one host only what says most is counted: several
        detectors see the same
        event.
        """
        known = self.parts.get(pair)
        if known is not None:
            known.count += 1
            if bits <= known.bits:
                return 0.0
            known.bits = bits
        elif len(self.parts) < settings.parts_max:
            known = self.parts[pair] = Part(*pair, bits, int(time_s // settings.moment_s))
            self._detectors.add(known.detector)
        else:
            return 0.0
        key = (known.host, known.moment)
        before = self._most.get(key, 0.0)
        if known.bits > before:
            self._most[key] = known.bits
            self.total += known.bits - before
        was = self.score
        self.score = self.total * settings.alone if self.is_alone() else self.total
        return self.score - was

    def restored(self) -> None:
        """Derive what the parts tell, after they came from a state."""
        self._detectors = {detector for _, detector in self.parts}
        for part in self.parts.values():
            key = (part.host, part.moment)
            self._most[key] = max(part.bits, self._most.get(key, 0.0))

    def counted(self) -> list[tuple[Part, float]]:
        """Each part with the bits that it brings to the sum."""
        most: dict[tuple[str, int], Part] = {}
        for part in self.parts.values():
            key = (part.host, part.moment)
            if key not in most or part.bits > most[key].bits:
                most[key] = part
        best = {id(part) for part in most.values()}
        return [(part, part.bits if id(part) in best else 0.0) for part in self.parts.values()]

    def is_alone(self) -> bool:
        """Whether fewer detectors speak than the method needs to be looked at by itself."""
        return len(self._detectors) < self.method.detectors_min

    def explain(self, settings: Perception) -> dict[str, Any]:
        """Why it is what it is: the parts of its score, which add up to it."""
        factor = settings.alone if self.is_alone() else 1.0
        parts = [
            {
                "host": part.host,
                "detector": part.detector,
                "alerts": part.count,
                "bits": round(part.bits, 3),
                "counted": round(bits * factor, 3),
            }
            for part, bits in sorted(self.counted(), key=lambda one: -one[1])
        ]
        return {
            "incident": self.number,
            "campaign": self.campaign,
            "method": self.method.name,
            "tactic": self.method.tactic,
            "technique": self.method.technique,
            "hosts": sorted(self.hosts),
            "first_s": self.first_s,
            "last_s": self.last_s,
            "alerts": self.count,
            "score": round(self.score, 3),
            "raised_s": self.raised_s,
            "parts": parts,
        }
