"""Signals become incidents once, whatever the order and however often they are recorded."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from bigsec.detect import (
    Grouping,
    IncidentDetail,
    Recorded,
    add,
    correlate,
    get_incident,
    list_incidents,
    record,
)
from bigsec.errors import SchemaError
from bigsec.store import Store, memory_store
from bigsec.store.model import Base, MetaRow

from .conftest import Pair, pair

SMALL = Grouping(sources_max=2, targets_max=3)
DEPENDS_ON_HISTORY = {"incident_id", "number", "founding_signal_id", "merged"}


def put(store: Store, pairs: Iterable[Pair], grouping: Grouping = SMALL) -> Recorded:
    """Record signals with their events."""
    given = list(pairs)
    return record(
        store, [one for one, _ in given], [event for _, event in given], grouping=grouping
    )


def incidents(store: Store) -> list[IncidentDetail]:
    """All of them, whole, in order of time."""
    page = list_incidents(store, limit=1000, order="time")
    assert page.next is None
    found = [get_incident(store, one.incident_id) for one in page.incidents]
    return sorted(found, key=lambda one: (one.first, one.signals[0].signal_id))


def said(store: Store) -> list[dict[str, Any]]:
    """Everything about the incidents but their names."""
    rows = [one.to_dict() for one in incidents(store)]
    return [{k: v for k, v in row.items() if k not in DEPENDS_ON_HISTORY} for row in rows]


def named(store: Store) -> dict[str, list[str]]:
    """Incident id → ids of its signals."""
    return {
        one.incident_id: sorted(signal.signal_id for signal in one.signals)
        for one in incidents(store)
    }


def dump(store: Store) -> dict[str, list[Any]]:
    """Every row of every table."""
    with store.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


def test_the_four_answers_of_an_attack(store: Store) -> None:
    recorded = put(
        store,
        [
            pair(0, rule="scan", source="203.0.113.9", level="low", result="attempt"),
            pair(
                4,
                rule="rce",
                source="203.0.113.9",
                level="critical",
                result="success",
                techniques=("T1190",),
                cves=("CVE-2021-44228",),
            ),
        ],
    )
    assert recorded == Recorded(new_signals=2, new_events=2, new_incidents=1)
    (incident,) = incidents(store)
    assert incident.source.values == ("203.0.113.9",)
    assert incident.target.values == ("web1",)
    assert incident.method.values == ("T1190",)
    assert incident.weakness.values == ("CVE-2021-44228",)
    assert (incident.level, incident.result, incident.confidence) == ("critical", "success", "high")
    assert incident.title("en") == "Title of rce on web1 from 203.0.113.9, and 1 more rule"
    assert incident.title("zh") == "web1：Title of rce（来源 203.0.113.9），另有 1 条规则命中"
    assert (incident.rules, incident.signal_count, incident.event_count) == (2, 2, 2)
    assert incident.attack_tactics == ("initial-access",)
    assert [entry.rule_id for entry in incident.timeline] == ["scan", "rce"]
    assert [one.raw for one in incident.evidence] == [
        "raw line of (0, 'web1', '203.0.113.9', None, None, None)",
        "raw line of (4, 'web1', '203.0.113.9', None, None, None)",
    ]


def test_an_answer_that_is_missing_says_why(store: Store) -> None:
    put(store, [pair(0, host=None)])
    (incident,) = incidents(store)
    reasons = [
        answer.reason
        for answer in (incident.source, incident.method, incident.target, incident.weakness)
    ]
    assert reasons == [
        "no_actor_in_events",
        "no_technique_in_rules",
        "no_asset_in_events",
        "no_cve_in_rules",
    ]
    assert incident.source.text("zh").startswith("未知")
    assert incident.title("en") == "Title of r1"
    assert incident.title("zh") == "Title of r1"


def test_author_and_licence_of_the_rule_stay_on_the_signal(store: Store) -> None:
    put(store, [pair(0, rule="r7")])
    (signal,) = incidents(store)[0].signals
    assert signal.rule_author == "Author of r7"
    assert signal.rule_license == "Apache-2.0"
    assert signal.rule_path == "rules/r7.yml"


def test_recording_the_same_again_changes_not_a_row(store: Store) -> None:
    pairs = [pair(number, rule=f"r{number % 3}", host=f"w{number % 4}") for number in range(30)]
    put(store, pairs)
    before = dump(store)
    assert put(store, pairs) == Recorded()
    assert put(store, reversed(pairs[7:19])) == Recorded()
    assert correlate(store) == Recorded()
    assert dump(store) == before


def test_an_incident_that_grows_keeps_id_and_number(store: Store) -> None:
    put(store, [pair(30)])
    (first,) = incidents(store)
    for minute in (70, 0):
        assert put(store, [pair(minute)]).updated_incidents == 1
    (grown,) = incidents(store)
    assert (grown.incident_id, grown.number) == (first.incident_id, first.number)
    assert grown.founding_signal_id == first.founding_signal_id
    assert grown.signal_count == 3
    assert grown.first < first.first
    assert grown.last > first.last


def test_a_merge_keeps_the_older_and_leaves_the_way_to_it(store: Store) -> None:
    put(store, [pair(100, host="w1")])
    put(store, [pair(0, host="w1")])
    put(store, [pair(200, host="w1")])
    older, _, _ = first = sorted(incidents(store), key=lambda one: one.number)
    assert put(store, [pair(50, host="w1")]) == Recorded(
        new_signals=1, new_events=1, updated_incidents=1
    )
    put(store, [pair(150, host="w1")])
    (merged,) = incidents(store)
    assert merged.incident_id == older.incident_id
    assert merged.signal_count == 5
    for one in first:
        assert get_incident(store, one.incident_id).incident_id == older.incident_id
        assert get_incident(store, one.number).incident_id == older.incident_id
        assert get_incident(store, one.incident_id[:12]).incident_id == older.incident_id
    assert set(merged.merged) == {one.incident_id for one in first[1:]}


def test_merges_of_merges_lead_to_the_one_that_is_left(store: Store) -> None:
    for minute in (300, 200, 100):
        put(store, [pair(minute)])
    first = incidents(store)
    put(store, [pair(150)])
    put(store, [pair(250)])
    (left,) = incidents(store)
    assert left.number.endswith("-000001")
    for one in first:
        assert get_incident(store, one.number).incident_id == left.incident_id


def test_a_split_leaves_the_id_with_the_founder_and_numbers_come_back(store: Store) -> None:
    def visit(minute: float, number: int) -> list[Pair]:
        return [
            pair(minute, rule=rule, host="www", source=f"203.0.113.{number}")
            for rule in ("r1", "r2")
        ]

    put(store, [*visit(0, 1), *visit(70, 2)])
    apart = incidents(store)
    assert len(apart) == 2
    put(store, [pair(40, rule="r3", host="www")])
    (joined,) = incidents(store)
    put(store, visit(41, 3))
    found = {one.number: one for one in incidents(store)}
    assert found[apart[0].number].incident_id == joined.incident_id == apart[0].incident_id
    assert found[apart[1].number].incident_id == apart[1].incident_id
    assert found[apart[1].number].source.values == ("203.0.113.2",)
    assert found[apart[0].number].merged == ()


def test_numbers_count_within_the_year_of_recording(store: Store) -> None:
    def recording(minute: float, year: int) -> None:
        signal, event = pair(minute)
        record(store, [signal], [event], now=lambda: datetime(year, 12, 31, tzinfo=UTC))

    recording(0, 2026)
    recording(500, 2026)
    recording(1000, 2027)
    recording(1500, 2026)
    numbers = [one.number for one in incidents(store)]
    assert numbers == ["2026-000001", "2026-000002", "2027-000001", "2026-000003"]


def test_a_rule_that_was_changed_supersedes_and_never_doubles(store: Store) -> None:
    put(store, [pair(0, level="low"), pair(1, level="low", rule="other")])
    before = incidents(store)[0]
    changed, event = pair(0, level="high", techniques=("T1110",), version="2")
    changed["rule_title"] = "Better title"
    recorded = put(store, [(changed, event)])
    assert recorded == Recorded(updated_incidents=1)
    (after,) = incidents(store)
    assert (after.incident_id, after.signal_count) == (before.incident_id, 2)
    assert after.level == "high"
    assert after.method.values == ("T1110",)
    assert after.title("en").startswith("Better title")
    assert put(store, [(changed, event)]) == Recorded()


def test_a_row_that_is_not_in_the_schema_writes_nothing(store: Store) -> None:
    bad, event = pair(1)
    del bad["rule_id"]
    before = dump(store)
    with pytest.raises(SchemaError, match="`rule_id`"):
        put(store, [pair(0), (bad, event)])
    assert dump(store) == before


def test_signals_without_their_events_are_kept(store: Store) -> None:
    signal, _ = pair(0, source="203.0.113.9")
    record(store, [signal], [])
    (incident,) = incidents(store)
    assert incident.source.values == ("203.0.113.9",)
    assert incident.target.values == ("web1",)
    assert incident.evidence == ()
    assert incident.event_count == 1


def test_an_event_known_from_before_gives_its_roles(store: Store) -> None:
    first, event = pair(0, rule="r1", source="203.0.113.9", target="192.0.2.5")
    second, _ = pair(0, rule="r2", source="203.0.113.9", target="192.0.2.5")
    record(store, [first], [event])
    record(store, [second], [])
    (incident,) = incidents(store)
    assert {one.entities for one in incident.signals} == {incident.signals[0].entities}
    assert incident.source.values == ("203.0.113.9",)


def test_an_empty_record_changes_nothing(store: Store) -> None:
    before = dump(store)
    assert record(store, [], []) == Recorded()
    assert dump(store) == before


def test_a_record_that_dies_half_way_is_grouped_by_the_next(store: Store) -> None:
    signal, event = pair(0)
    assert add(store, [signal], [event]) == Recorded(new_signals=1, new_events=1)
    assert incidents(store) == []
    assert correlate(store).new_incidents == 1
    assert len(incidents(store)) == 1


def test_every_reference_between_tables_holds(store: Store) -> None:
    put(store, [pair(number * 13, host=f"w{number % 3}") for number in range(40)])
    put(store, [pair(number * 7, host="w1", rule="r2") for number in range(40)])
    with store.read() as connection:
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        members = select(text("count(*)")).select_from(text("incident_signal"))
        assert connection.scalar(members) == 80


PAIRS = st.lists(
    st.builds(
        pair,
        st.integers(0, 300),
        rule=st.sampled_from(["r1", "r2", "r3"]),
        host=st.sampled_from([None, "w1", "w2", "w3", "w4", "w5"]),
        source=st.sampled_from([None, *(f"203.0.113.{number}" for number in range(1, 6))]),
        target=st.sampled_from([None, "192.0.2.1", "203.0.113.1"]),
        user=st.sampled_from([None, "root", "CORP\\alice"]),
        level=st.sampled_from(["low", "high"]),
        result=st.sampled_from(["unknown", "success", "failed"]),
    ),
    max_size=25,
    unique_by=lambda one: one[0]["signal_id"],
)


def batches(pairs: Sequence[Pair], chance: random.Random) -> list[list[Pair]]:
    """The same in another order, in parts, with some recorded twice."""
    shuffled = list(pairs)
    chance.shuffle(shuffled)
    parts: list[list[Pair]] = []
    while shuffled:
        size = chance.randint(1, len(shuffled))
        parts.append(shuffled[:size] + chance.sample(list(pairs), min(2, len(pairs))))
        shuffled = shuffled[size:]
    return parts


@pytest.fixture(scope="module")
def stores() -> Iterator[tuple[Store, Store]]:
    """Two stores with one secret, for examples that begin with `emptied`."""
    with memory_store() as one, memory_store() as other:
        for store in (one, other):
            with store.write() as connection:
                change = update(MetaRow).where(MetaRow.key == "incident_key")
                connection.execute(change.values(value="00" * 32))
        yield one, other


def emptied(store: Store) -> Store:
    """The store without a row, save what it knows of itself."""
    with store.write() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != MetaRow.__tablename__:
                connection.execute(delete(table))
    return store


@settings(max_examples=60, deadline=None)
@given(pairs=PAIRS, chance=st.randoms(use_true_random=False))
def test_order_and_parts_of_a_scan_never_change_the_incidents(
    stores: tuple[Store, Store], pairs: list[Pair], chance: random.Random
) -> None:
    whole, parted = map(emptied, stores)
    put(whole, pairs)
    for part in batches(pairs, chance):
        put(parted, part)
    assert said(parted) == said(whole)
    assert sorted(named(parted).values()) == sorted(named(whole).values())


@settings(max_examples=60, deadline=None)
@given(pairs=PAIRS, chance=st.randoms(use_true_random=False))
def test_a_scan_that_groups_at_its_end_gives_the_same_ids_in_any_order(
    stores: tuple[Store, Store], pairs: list[Pair], chance: random.Random
) -> None:
    whole, parted = map(emptied, stores)
    put(whole, pairs)
    for part in batches(pairs, chance):
        add(parted, [signal for signal, _ in part], [event for _, event in part])
    correlate(parted, grouping=SMALL)
    assert named(parted) == named(whole)
    assert said(parted) == said(whole)
    assert [one.number for one in incidents(parted)] == [one.number for one in incidents(whole)]


@settings(max_examples=40, deadline=None)
@given(pairs=PAIRS, chance=st.randoms(use_true_random=False))
def test_an_id_once_given_always_leads_to_an_incident(
    stores: tuple[Store, Store], pairs: list[Pair], chance: random.Random
) -> None:
    store = emptied(stores[0])
    given_names: dict[str, str] = {}
    for part in batches(pairs, chance):
        put(store, part)
        for one in list_incidents(store, limit=1000).incidents:
            assert given_names.setdefault(one.incident_id, one.number) == one.number
    for incident_id, number in given_names.items():
        by_id = get_incident(store, incident_id)
        assert get_incident(store, number).incident_id == by_id.incident_id
