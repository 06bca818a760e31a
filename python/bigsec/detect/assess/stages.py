"""How far an attack has come: ATT&CK's tactics in the order in which attacks go through them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["STAGES", "furthest", "steps"]

STAGES: Final = (
    ("reconnaissance",),
    ("resource-development",),
    ("initial-access",),
    ("execution",),
    ("persistence", "privilege-escalation"),
    ("defense-evasion", "stealth", "defense-impairment"),
    ("credential-access", "discovery"),
    ("lateral-movement",),
    ("collection", "command-and-control"),
    ("exfiltration",),
    ("impact",),
)
"""Tactics of one entry come in any order."""

_PLACE: Final = {tactic: number for number, same in enumerate(STAGES) for tactic in same}


def furthest(tactics: Iterable[str]) -> str | None:
    """The last stage among these tactics; of one stage the first by name."""
    known = [one for one in tactics if one in _PLACE]
    return min(known, key=lambda one: (-_PLACE[one], one), default=None)


def steps(in_time: Iterable[Sequence[str]]) -> int:
    """The longest way forward: stages one after the other, each later in time than the one before.

    in_time: the tactics of each signal, in the order of their times. A scan that follows an
    exfiltration is no step; discovery, then lateral movement, then exfiltration are three.
    """
    ends: list[int] = []
    for tactics in in_time:
        # Of one signal at most one stage counts: the latest first, so that none follows another.
        for place in sorted({_PLACE[one] for one in tactics if one in _PLACE}, reverse=True):
            at = bisect_left(ends, place)
            ends[at : at + 1] = [place]
    return len(ends)
