"""What an incident says of itself follows from its signals."""

from __future__ import annotations

import itertools

import pytest

from bigsec.detect.model import Confidence
from bigsec.detect.portrait import VALUES_MAX, Portrait, Stroke, Tally, combine_results
from bigsec.detect.signal import Result


def stroke(
    time_us: int = 0,
    *,
    rule: str = "r1",
    severity: int = 3,
    result: Result = "unknown",
    title: str = "",
    techniques: tuple[str, ...] = (),
) -> Stroke:
    name = f"{rule}{time_us}"
    return Stroke(time_us, name, severity, rule, title or f"T {rule}", result, techniques, (), ())


def portrait(*strokes: Stroke, events: int = 0, entities: tuple[Tally, ...] = ()) -> Portrait:
    made = Portrait(events=events or len(strokes))
    for one in strokes:
        made.add(one)
    for entity in entities:
        made.add_entity(entity)
    return made


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((), "unknown"),
        (("unknown", "failed"), "failed"),
        (("failed", "attempt"), "attempt"),
        (("attempt", "success", "failed"), "success"),
    ],
)
def test_what_succeeded_once_has_succeeded(results: tuple[Result, ...], expected: Result) -> None:
    assert combine_results(results) == expected


@pytest.mark.parametrize(
    ("strokes", "events", "expected"),
    [
        ([stroke(severity=2)], 1, "low"),
        ([stroke(severity=4)], 1, "medium"),
        ([stroke(rule="a"), stroke(rule="b")], 2, "medium"),
        ([stroke(rule="a", severity=4), stroke(rule="b")], 2, "high"),
        ([stroke(rule="a", severity=4), stroke(rule="b")], 1, "medium"),
        ([stroke(rule="a"), stroke(rule="b"), stroke(rule="c")], 3, "high"),
        ([stroke(result="success"), stroke(1, result="success")], 2, "high"),
        ([stroke(result="success", severity=2)], 1, "low"),
    ],
)
def test_confidence_grows_with_independent_witnesses(
    strokes: list[Stroke], events: int, expected: Confidence
) -> None:
    assert portrait(*strokes, events=events).confidence == expected


def test_the_order_of_the_signals_never_matters() -> None:
    strokes = [
        stroke(9, rule="a", severity=4, techniques=("T1", "T2")),
        stroke(3, rule="b", severity=4, techniques=("T2",)),
        stroke(5, rule="c", severity=2, result="failed"),
    ]
    made = [portrait(*some) for some in itertools.permutations(strokes)]
    assert len({(one.title("en"), one.first_us, one.last_us, one.founder) for one in made}) == 1
    assert made[0].title("en") == "T b, and 2 more rules"
    assert made[0].method.values == ("T2", "T1")
    assert (made[0].first_us, made[0].last_us, made[0].founder) == (3, 9, (3, "b3"))


def test_times_before_1970_are_times() -> None:
    made = portrait(stroke(-9), stroke(-3))
    assert (made.first_us, made.last_us) == (-9, -3)


def test_the_title_names_place_and_source_and_how_many_more() -> None:
    entities = (
        Tally("host", "web1", "target", 5),
        Tally("host", "web2", "target", 1),
        Tally("ip", "203.0.113.9", "source", 6),
    )
    made = portrait(stroke(title="SQL injection"), entities=entities)
    assert made.title("en") == "SQL injection on web1 and 1 more from 203.0.113.9"
    assert made.title("zh") == "web1 等 2 个：SQL injection（来源 203.0.113.9）"


def test_a_name_of_any_length_leaves_a_title_of_bounded_length() -> None:
    entities = (Tally("host", "h" * 500, "target", 1), Tally("user", "u" * 500, "source", 1))
    made = portrait(stroke(title="t" * 5000), entities=entities)
    assert len(made.title("en")) < 300
    assert len(made.title("zh")) < 300


def test_one_account_under_two_spellings_is_one_source() -> None:
    entities = (Tally("user", "alice", "source", 1), Tally("user", "CORP\\Alice", "source", 3))
    made = portrait(stroke(), entities=entities)
    assert made.source.values == ("CORP\\Alice",)
    assert made.source.total == 1


def test_sites_and_accounts_are_targets_where_no_machine_is_known() -> None:
    site, account = Tally("domain", "www", "target", 1), Tally("user", "root", "target", 1)
    machine = Tally("ip", "192.0.2.5", "target", 1)
    assert portrait(stroke(), entities=(account,)).target.values == ("root",)
    assert portrait(stroke(), entities=(account, site)).target.values == ("www",)
    assert portrait(stroke(), entities=(account, site, machine)).target.values == ("192.0.2.5",)


def test_an_answer_holds_its_limit_and_counts_the_rest() -> None:
    entities = tuple(Tally("ip", f"192.0.2.{n:03}", "source", 1) for n in range(VALUES_MAX + 1))
    whole = portrait(stroke(), entities=entities[:VALUES_MAX]).source
    assert (len(whole.values), whole.total) == (VALUES_MAX, VALUES_MAX)
    cut = portrait(stroke(), entities=entities).source
    assert (len(cut.values), cut.total) == (VALUES_MAX, VALUES_MAX + 1)
