"""Sigma's levels beside OCSF's severity numbers."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["LEVELS", "Confidence", "Level", "level_of", "severity_of"]

Level = Literal["informational", "low", "medium", "high", "critical"]
Confidence = Literal["low", "medium", "high"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""The levels, lowest first."""

_SEVERITY: Final[dict[str, int]] = {level: number for number, level in enumerate(LEVELS, start=1)}


def severity_of(level: str) -> int:
    """OCSF `severity_id` of a level: informational 1, low 2, medium 3, high 4, critical 5.

    Raises ValueError, naming the levels, for any other word.
    """
    try:
        return _SEVERITY[level]
    except KeyError:
        raise ValueError(f"no level `{level}`; the levels are {', '.join(LEVELS)}") from None


def level_of(severity_id: int) -> Level:
    """The level of an OCSF `severity_id`.

    0 (unknown) and 99 (other) say nothing about the harm, so they are the lowest level; 6 (fatal)
    has no Sigma word of its own and is critical.
    """
    if 1 <= severity_id <= len(LEVELS):
        return LEVELS[severity_id - 1]
    return "critical" if severity_id == 6 else LEVELS[0]
