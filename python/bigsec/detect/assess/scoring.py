"""How urgent an incident is, from 0 to 100, as a sum whose parts are shown.

Each part is a judgement of its own and stands here alone; what goes below 0 or above 100 is taken
off in a part of its own, so that the parts always add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from bigsec.detect.assess.exploitability import Verdict
from bigsec.detect.assess.meanings import PARTS
from bigsec.detect.levels import Confidence, Level
from bigsec.detect.signal import Result

__all__ = ["Part", "PartName", "Score", "score"]

PartName = Literal[
    "severity", "confidence", "result", "exploitability", "asset", "spread", "progress", "bound"
]

_MAX: Final = 100
_SEVERITY: Final[dict[Level, int]] = {
    "informational": 5,
    "low": 15,
    "medium": 30,
    "high": 45,
    "critical": 60,
}
_CONFIDENCE: Final[dict[Confidence, int]] = {"low": 0, "medium": 5, "high": 10}
_RESULT: Final[dict[Result, int]] = {"success": 15, "attempt": 0, "unknown": 0, "failed": -10}
_EXPLOITABILITY: Final[dict[Verdict, int]] = {
    "confirmed": 15,
    "plausible": 5,
    "unknown": 0,
    "not_applicable": -20,
}
# For each doubling of the number of machines, and for each step after the first.
_SPREAD, _SPREAD_MAX = 2, 6
_PROGRESS, _PROGRESS_MAX = 3, 9


@dataclass(frozen=True, slots=True)
class Part:
    """One reason, and what it adds."""

    name: PartName
    points: int


@dataclass(frozen=True, slots=True)
class Score:
    """The sum, and its parts; those that add nothing are left out."""

    total: int
    parts: tuple[Part, ...]

    def text(self, language: str = "en") -> str:
        """`58 = severity 45 + confidence 10 + …` for people."""
        told = "".join(
            f" {'+' if part.points > 0 else '−'} {PARTS[part.name][language]} {abs(part.points)}"
            for part in self.parts
        )
        return f"{self.total} / {_MAX} = {told.removeprefix(' + ')}"

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        parts = [{"name": part.name, "points": part.points} for part in self.parts]
        return {"total": self.total, "parts": parts}


def score(
    *,
    level: Level,
    confidence: Confidence,
    result: Result,
    exploitability: Verdict,
    criticality: int,
    targets: int,
    steps: int,
) -> Score:
    """The score of an incident.

    criticality: of the most important machine, 0 (not known) to 4 (of the highest importance).
    targets: machines that were acted on. steps: stages of an attack that were seen one after the
    other (`stages.steps`).
    """
    points: dict[PartName, int] = {
        "severity": _SEVERITY[level],
        "confidence": _CONFIDENCE[confidence],
        "result": _RESULT[result],
        "exploitability": _EXPLOITABILITY[exploitability],
        "asset": (0, -5, 0, 5, 10)[criticality],
        "spread": min(_SPREAD_MAX, _SPREAD * max(0, targets.bit_length() - 1)),
        "progress": min(_PROGRESS_MAX, _PROGRESS * max(0, steps - 1)),
    }
    total = sum(points.values())
    bounded = min(_MAX, max(0, total))
    points["bound"] = bounded - total
    return Score(bounded, tuple(Part(name, value) for name, value in points.items() if value))
