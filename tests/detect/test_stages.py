"""How far an attack has come, by the order of its tactics in time."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigsec.detect.assess.classes import warning_of
from bigsec.detect.assess.stages import STAGES, furthest, steps

TACTICS = [tactic for same in STAGES for tactic in same]


@pytest.mark.parametrize(
    ("in_time", "expected"),
    [
        ([], 0),
        ([["execution"]], 1),
        ([["execution"], ["execution"]], 1),
        ([["discovery"], ["lateral-movement"], ["exfiltration"]], 3),
        ([["exfiltration"], ["lateral-movement"], ["discovery"]], 1),
        ([["persistence"], ["privilege-escalation"]], 1),
        ([["reconnaissance", "impact"]], 1),
        ([["initial-access"], ["impact"], ["execution"], ["persistence"]], 3),
        ([["unheard-of"], []], 0),
    ],
)
def test_steps_are_stages_in_their_order(in_time: list[list[str]], expected: int) -> None:
    assert steps(in_time) == expected


@given(st.lists(st.lists(st.sampled_from(TACTICS), max_size=3), max_size=7))
def test_steps_are_the_longest_way_forward(in_time: list[list[str]]) -> None:
    place = {tactic: number for number, same in enumerate(STAGES) for tactic in same}
    longest = 0
    for size in range(len(in_time) + 1):
        for chosen in combinations(in_time, size):
            ways = [-1]
            for tactics in chosen:
                ways = [
                    place[tactic] for tactic in tactics if any(place[tactic] > way for way in ways)
                ]
                ways = [min(ways)] if ways else []
                if not ways:
                    break
            if ways:
                longest = max(longest, size)
    assert steps(in_time) == longest


def test_the_furthest_stage_is_named() -> None:
    assert furthest(["discovery", "impact", "execution"]) == "impact"
    assert furthest(["stealth", "defense-evasion"]) == "defense-evasion"
    assert furthest(["unheard-of"]) is None


def test_a_warning_rises_with_the_urgency() -> None:
    levels = [warning_of(urgency).level for urgency in range(101)]
    assert levels == sorted(levels, key=["IV", "III", "II", "I"].index)
    assert set(levels) == {"I", "II", "III", "IV"}
    assert "红色" in warning_of(100).text("zh")
