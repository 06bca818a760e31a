"""What an analyst would call one incident is one group, and order never matters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigsec.detect import Entity, Grouping
from bigsec.detect.facts import Fact, fact_of
from bigsec.detect.group import group
from bigsec.detect.signal import Role

SMALL = Grouping(gap_s=3600, sources_max=3, targets_max=3)
MINUTE_US = 60_000_000


def fact(
    name: str,
    minute: float,
    *,
    rule: str = "r1",
    source: str = "",
    host: str = "",
    user: str = "",
    log: str = "a.log",
    others: tuple[tuple[str, str, Role], ...] = (),
    events: tuple[str, ...] = (),
) -> Fact:
    """A fact of a signal with that name."""
    entities = [Entity(kind, value, role) for kind, value, role in others]
    entities += [Entity("ip", source, "source")] if source else []
    entities += [Entity("host", host, "target")] if host else []
    entities += [Entity("user", user, "source")] if user else []
    return fact_of(name, int(minute * MINUTE_US), rule, log, entities, events)


def names(facts: list[Fact], settings: Grouping = SMALL) -> list[str]:
    """The groups as the names of their signals."""
    return ["".join(one.signal_id for one in members) for members in group(facts, settings)]


def test_an_attacker_on_two_machines_is_one_incident() -> None:
    assert names(
        [
            fact("a", 0, source="203.0.113.9", host="web1"),
            fact("b", 5, rule="r2", source="203.0.113.9", host="web2"),
            fact("c", 9, rule="r3", host="web2", user="alice"),
        ]
    ) == ["abc"]


def test_machines_without_anything_in_common_are_apart() -> None:
    assert names([fact("a", 0, host="web1"), fact("b", 1, host="web2")]) == ["a", "b"]


def test_the_gap_is_met_exactly_and_exceeded_by_one() -> None:
    facts = [fact("a", 0, host="w", rule="x"), fact("b", 60, host="w", rule="y")]
    assert names(facts) == ["ab"]
    late = fact("b", 60 + 1 / MINUTE_US, host="w", rule="y")
    assert names([facts[0], late]) == ["a", "b"]


def test_the_same_account_name_on_two_machines_is_two_accounts() -> None:
    facts = [fact("a", 0, host="w1", user="root"), fact("b", 1, host="w2", user="root")]
    assert names(facts) == ["a", "b"]


def test_a_busy_server_does_not_join_its_visitors() -> None:
    visitors = [
        fact(letter, number, source=f"203.0.113.{number}", host="www", rule=rule)
        for number, letter in enumerate("abcdef")
        for rule in ("r1",)
    ]
    second = [
        fact(letter, number + 0.5, source=f"203.0.113.{number}", host="www", rule="r2")
        for number, letter in enumerate("ABCDEF")
    ]
    assert names(visitors + second) == ["aA", "bB", "cC", "dD", "eE", "fF"]


def test_a_quiet_server_does() -> None:
    facts = [
        fact(letter, number, source=f"203.0.113.{number}", host="www", rule=f"r{number}")
        for number, letter in enumerate("abc")
    ]
    assert names(facts) == ["abc"]


def test_one_rule_tripped_by_many_on_a_busy_server_is_one_incident() -> None:
    facts = [
        fact(letter, number, source=f"203.0.113.{number}", host="www")
        for number, letter in enumerate("abcdef")
    ]
    deep = fact("X", 2.5, source="203.0.113.2", host="www", rule="r2")
    assert names([*facts, deep]) == ["abdef", "cX"]


def test_folding_stops_where_the_gap_is_exceeded() -> None:
    facts = [
        fact(letter, minute, source=f"203.0.113.{number}", log="access.log")
        for number, (letter, minute) in enumerate([("a", 0), ("b", 50), ("c", 200)])
    ]
    assert names(facts) == ["ab", "c"]


def test_folding_counts_the_gap_from_the_last_signal_of_all() -> None:
    long = [fact(f"a{n}", n * 50, source="203.0.113.1", log="access.log") for n in range(3)]
    short = fact("b", 10, source="203.0.113.2", log="access.log")
    late = fact("c", 150, source="203.0.113.3", log="access.log")
    assert names([*long, short, late]) == ["a0ba1a2c"]


def test_a_scanner_does_not_join_what_happens_on_the_machines_it_touches() -> None:
    sweep = [
        fact(letter, number, source="198.51.100.7", host=f"w{number}", rule=f"r{number}")
        for number, letter in enumerate("abcde")
    ]
    others = [
        fact("X", 1.5, host="w1", user="alice", rule="z1"),
        fact("Y", 3.5, host="w3", user="bob", rule="z2"),
    ]
    assert names(sweep + others) == ["abcde", "X", "Y"]


def test_a_machine_that_is_never_quiet_joins_nothing() -> None:
    noise = [fact(f"{minute:04} ", minute, host="mail") for minute in range(0, 26 * 60, 30)]
    attack = [
        fact("X", 601, host="mail", source="203.0.113.9", rule="r2"),
        fact("Y", 603, host="mail", source="203.0.113.9", rule="r3"),
    ]
    found = names(noise + attack)
    assert found[1] == "XY"
    assert len(found) == 2


def test_two_rules_on_one_event_are_always_one_incident() -> None:
    facts = [
        fact(letter + kind, number, source=f"203.0.113.{number}", rule=kind, events=(letter,))
        for number, letter in enumerate("abcdef")
        for kind in "12"
    ]
    assert names(facts) == [f"{letter}1{letter}2" for letter in "abcdef"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "224.0.0.251", "fe80::1", "x"])  # noqa: S104
def test_an_address_that_names_no_machine_does_not_link(address: str) -> None:
    facts = [
        fact("a", 0, source=address, host="w1", rule="r1"),
        fact("b", 1, source=address, host="w2", rule="r2"),
    ]
    assert names(facts) == ["a", "b"]


def test_a_program_of_the_system_does_not_link_and_another_does() -> None:
    def both(role: Role) -> list[str]:
        shared: tuple[tuple[str, str, Role], ...] = (("hash", "ab" * 32, role),)
        return names(
            [
                fact("a", 0, host="w1", rule="r1", others=shared),
                fact("b", 1, host="w2", rule="r2", others=shared),
            ]
        )

    assert both("common") == ["a", "b"]
    assert both("related") == ["ab"]


def test_signals_about_nothing_fold_by_rule_and_log() -> None:
    facts = [
        fact("a", 0),
        fact("b", 1),
        fact("c", 2, log="other.log"),
        fact("d", 3, rule="r2"),
    ]
    assert names(facts) == ["ab", "c", "d"]


def test_nothing_groups_to_nothing() -> None:
    assert group([], SMALL) == []


FACTS = st.builds(
    fact,
    st.uuids().map(str),
    st.integers(0, 400),
    rule=st.sampled_from(["r1", "r2", "r3"]),
    source=st.sampled_from(["", *(f"203.0.113.{number}" for number in range(6))]),
    host=st.sampled_from(["", "w1", "w2", "w3", "w4", "w5"]),
    user=st.sampled_from(["", "root", "alice"]),
    log=st.sampled_from(["a.log", "b.log"]),
    events=st.sampled_from([(), ("e1",), ("e2",), ("e1", "e3")]),
)
SETTINGS = st.builds(
    Grouping,
    gap_s=st.sampled_from([0, 600, 3600]),
    sources_max=st.integers(0, 4),
    targets_max=st.integers(0, 4),
    busy_s=st.sampled_from([3600, 86_400]),
)


@given(st.lists(FACTS, max_size=40), SETTINGS, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_never_matters(
    facts: list[Fact], settings: Grouping, chance: random.Random
) -> None:
    shuffled = list(facts)
    chance.shuffle(shuffled)
    assert group(shuffled, settings) == group(facts, settings)


@given(st.lists(FACTS, max_size=40), SETTINGS)
def test_every_fact_is_in_exactly_one_group(facts: list[Fact], settings: Grouping) -> None:
    grouped = [one.signal_id for members in group(facts, settings) for one in members]
    assert sorted(grouped) == sorted(one.signal_id for one in facts)


@given(st.lists(FACTS, max_size=40), SETTINGS)
def test_a_stretch_between_silences_can_be_grouped_by_itself(
    facts: list[Fact], settings: Grouping
) -> None:
    ordered = sorted(facts, key=lambda one: (one.time_us, one.signal_id))
    stretches: list[list[Fact]] = []
    for one in ordered:
        last = stretches[-1][-1].time_us if stretches else None
        if last is None or one.time_us - last > settings.gap_s * 1_000_000:
            stretches.append([])
        stretches[-1].append(one)
    apart = [members for stretch in stretches for members in group(stretch, settings)]
    assert sorted(apart, key=str) == sorted(group(facts, settings), key=str)
