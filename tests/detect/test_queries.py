"""Lists can be filtered and paged, and an incident is found by what people call it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bigsec.detect import (
    IncidentFilter,
    add,
    correlate,
    get_incident,
    list_incidents,
    record,
    summary,
)
from bigsec.detect.model import Order
from bigsec.errors import NotFoundError
from bigsec.store import OutputFolder, Store, memory_store, open_store

from .conftest import START, Pair, pair

LEVELS = ("low", "medium", "high", "critical")


def put(store: Store, *pairs: Pair) -> None:
    record(store, [one for one, _ in pairs], [event for _, event in pairs])


@pytest.fixture(scope="module")
def filled() -> Iterator[Store]:
    """Twelve incidents, two hours apart, on hosts w0 to w11."""
    with memory_store() as store:
        put(
            store,
            *(
                pair(
                    number * 120,
                    rule=f"r{number % 3}",
                    host=f"W{number}",
                    source=f"203.0.113.{number}",
                    level=LEVELS[number % 4],
                    result="success" if number == 5 else "unknown",
                    entities=(("file", "/tmp/100%_real"),) if number == 7 else (),  # noqa: S108
                )
                for number in range(12)
            ),
        )
        yield store


def hosts(store: Store, where: IncidentFilter, order: Order = "time") -> list[str]:
    return [one.target.values[0] for one in list_incidents(store, where, order=order).incidents]


def test_by_level_the_highest_come_first_then_the_latest(filled: Store) -> None:
    found = list_incidents(filled).incidents
    assert [one.severity_id for one in found] == [5] * 3 + [4] * 3 + [3] * 3 + [2] * 3
    assert [one.target.values[0] for one in found[:3]] == ["W11", "W7", "W3"]


def test_by_time_the_latest_come_first(filled: Store) -> None:
    assert hosts(filled, IncidentFilter()) == [f"W{number}" for number in range(11, -1, -1)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (IncidentFilter(level="critical"), ["W11", "W7", "W3"]),
        (IncidentFilter(level="low", result="success"), ["W5"]),
        (IncidentFilter(since=START + timedelta(hours=20)), ["W11", "W10"]),
        (IncidentFilter(until=START + timedelta(hours=2)), ["W0"]),
        (IncidentFilter(until=START + timedelta(hours=2, microseconds=1)), ["W1", "W0"]),
        (IncidentFilter(text="on w11 "), ["W11"]),
        (IncidentFilter(text="203.0.113.10"), ["W10"]),
        (IncidentFilter(text="100%_"), ["W7"]),
        (IncidentFilter(text="000003"), ["W2"]),
        (IncidentFilter(text="%"), ["W7"]),
        (IncidentFilter(entity="W4"), ["W4"]),
        (IncidentFilter(entity="W"), []),
        (IncidentFilter(source="b.log"), []),
        (IncidentFilter(source="a.log", level="critical"), ["W11", "W7", "W3"]),
    ],
)
def test_a_filter_shows_what_fits(
    filled: Store, where: IncidentFilter, expected: list[str]
) -> None:
    assert hosts(filled, where) == expected
    assert list_incidents(filled, where).total == len(expected)


@pytest.mark.parametrize("order", ["level", "time"])
@pytest.mark.parametrize("limit", [1, 5, 11, 12, 13])
def test_pages_give_every_incident_once(filled: Store, order: Order, limit: int) -> None:
    seen: list[str] = []
    after = None
    while True:
        page = list_incidents(filled, limit=limit, after=after, order=order)
        assert (page.total, page.total_exact) == (12, True)
        seen += [one.incident_id for one in page.incidents]
        after = page.next
        if after is None:
            break
    whole = list_incidents(filled, limit=1000, order=order)
    assert seen == [one.incident_id for one in whole.incidents]


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_bounds_is_refused(filled: Store, limit: int) -> None:
    with pytest.raises(ValueError, match="not 1 to 1000"):
        list_incidents(filled, limit=limit)


@pytest.mark.parametrize("cursor", ["", "x", "bm9uc2Vuc2U", "WyJsZXZlbCJd", "é", "A" * 500])
def test_a_cursor_that_is_none_is_refused(filled: Store, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        list_incidents(filled, after=cursor)


def test_a_cursor_of_another_order_is_refused(filled: Store) -> None:
    cursor = list_incidents(filled, limit=1, order="time").next
    with pytest.raises(ValueError, match="in this order"):
        list_incidents(filled, after=cursor, order="level")


def test_an_incident_is_found_by_id_beginning_and_number(filled: Store) -> None:
    one = list_incidents(filled, limit=1, order="time").incidents[0]
    year, _, count = one.number.partition("-")
    for reference in (
        one.incident_id,
        one.incident_id.upper(),
        one.incident_id[:8],
        one.number,
        f"{year}-{int(count)}",
        f"  {one.number} ",
    ):
        assert get_incident(filled, reference).incident_id == one.incident_id


def test_a_number_nobody_has_names_its_neighbours(filled: Store) -> None:
    year = list_incidents(filled, limit=1).incidents[0].number[:4]
    with pytest.raises(NotFoundError) as caught:
        get_incident(filled, f"{year}-13")
    assert caught.value.code == "BS3106"
    mend = caught.value.problems[0].mend
    assert mend.startswith(f"Did you mean {year}-000012?")
    assert f"from {year}-000001 to {year}-000012" in mend
    with pytest.raises(NotFoundError, match="1999-000001") as caught:
        get_incident(filled, "1999-1")
    assert "No incident has a number of 1999" in caught.value.problems[0].mend


def test_an_id_nobody_has_names_those_that_begin_alike(filled: Store) -> None:
    one = list_incidents(filled, limit=1).incidents[0].incident_id
    slip = one[:10] + ("0" if one[10] != "0" else "1") + one[11:]
    with pytest.raises(NotFoundError) as caught:
        get_incident(filled, slip)
    assert one in caught.value.problems[0].mend


@pytest.mark.parametrize("reference", ["", "abc", "xyz", "2026", "20260-1", "'; --", "é" * 500])
def test_what_is_no_reference_is_said_so(filled: Store, reference: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        get_incident(filled, reference)
    assert caught.value.problems[0].mend
    assert len(str(caught.value)) < 200


def test_a_beginning_that_two_incidents_share_names_both(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(("abcd" + "0" * 28, "abcd" + "1" * 28))
    monkeypatch.setattr(
        "bigsec.detect.correlating.incident_id_of", lambda _founder, _key: next(ids)
    )
    put(store, pair(0), pair(500))
    with pytest.raises(NotFoundError, match="more than one incident begins with abcd") as caught:
        get_incident(store, "abcd")
    assert "abcd0000" in caught.value.problems[0].mend
    assert "abcd1111" in caught.value.problems[0].mend
    assert get_incident(store, "abcd0").incident_id.startswith("abcd0")


def test_an_incident_shows_the_strongest_within_its_bounds(store: Store) -> None:
    put(store, *(pair(n, rule=f"r{n}", level=LEVELS[n % 4]) for n in range(40)))
    (one,) = list_incidents(store).incidents
    whole = get_incident(store, one.incident_id)
    assert len(whole.signals) == len(whole.evidence) == len(whole.timeline) == 40
    cut = get_incident(store, one.incident_id, signals_max=10, evidence_max=4)
    assert {signal.level for signal in cut.signals} == {"critical"}
    assert len(cut.evidence) == 4
    assert [one.event_id for one in cut.evidence] == [one.event_ids[0] for one in cut.signals[:4]]
    assert (cut.signal_count, cut.event_count) == (40, 40)


def test_the_timeline_folds_one_rule_in_one_place(store: Store) -> None:
    put(
        store,
        *(pair(n * 0.1, result="failed", source="203.0.113.9", event=n) for n in range(30)),
        pair(1, rule="r2"),
        pair(20, result="success", source="203.0.113.9"),
    )
    (one,) = list_incidents(store).incidents
    told = get_incident(store, one.number).timeline
    assert [(e.rule_id, e.where, e.count, e.result) for e in told] == [
        ("r1", "web1", 30, "failed"),
        ("r2", "web1", 1, "unknown"),
        ("r1", "web1", 1, "success"),
    ]
    assert len(told[0].event_ids) == 20


def test_a_whole_incident_is_json_for_programs(filled: Store) -> None:
    one = list_incidents(filled, limit=1).incidents[0]
    row = json.loads(json.dumps(get_incident(filled, one.number).to_dict()))
    assert row["incident_id"] == one.incident_id
    assert row["title"]["zh"]
    assert row["first"].endswith("Z")
    assert row["signals"][0]["rule_author"]
    assert row["evidence"][0]["raw"].startswith("raw line")


def test_the_store_in_numbers(filled: Store, store: Store) -> None:
    told = summary(filled)
    assert (told.incidents, told.signals, told.events) == (12, 12, 12)
    assert told.first == START
    assert list(told.levels) == ["critical", "high", "medium", "low", "informational"]
    assert told.levels["critical"] == 3
    assert json.loads(json.dumps(told.to_dict()))["levels"]["low"] == 3
    empty = summary(store)
    assert (empty.incidents, empty.first) == (0, None)


def test_twice_the_same_scan_into_one_folder_changes_nothing(tmp_path: Path) -> None:
    pairs = [pair(n * 7, rule=f"r{n % 2}", host=f"w{n % 5}") for n in range(60)]
    seen = []
    for _ in range(2):
        with OutputFolder(tmp_path) as output:
            for start in range(0, 60, 20):
                part = pairs[start : start + 20]
                add(output.store, [one for one, _ in part], [event for _, event in part])
            correlate(output.store)
            output.commit()
        with open_store(tmp_path) as store:
            page = list_incidents(store)
            seen.append([get_incident(store, one.incident_id) for one in page.incidents])
    assert seen[0] == seen[1]
    assert seen[0]
