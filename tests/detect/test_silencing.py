"""Silences hide what is silenced wholly, count it, and throw nothing away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from bigsec.detect import (
    IncidentFilter,
    Silence,
    add_silence,
    end_silence,
    get_incident,
    list_incidents,
    list_silences,
    preview,
    record,
)
from bigsec.errors import NotFoundError
from bigsec.store import open_store
from bigsec.store.silence_model import SilenceRow

from .conftest import START, Pair, pair

SCANNER = "203.0.113.9"
EVERY = IncidentFilter(silenced=True)


def _silence(**more: Any) -> Silence:
    given: dict[str, Any] = {
        "owner": "zhao",
        "reason": "Monthly scan, order 17",
        "starts": START,
        "ends": START + timedelta(hours=8),
        "entity": SCANNER,
    }
    return Silence(**(given | more))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store: a scanner's incident, one that the scanner is part of, and one without it."""
    pairs: list[Pair] = [
        *(pair(one, host="web1", source=SCANNER, rule=f"r{one}") for one in range(3)),
        *(pair(200 + one, host="web2", source=SCANNER) for one in range(2)),
        pair(201, host="web2", source="198.51.100.7", rule="r7"),
        pair(400, host="web3", source="198.51.100.8"),
    ]
    with open_store(tmp_path, create=True) as store:
        record(store, [one for one, _ in pairs], [event for _, event in pairs])
        assert len(list_incidents(store).incidents) == 3
    return tmp_path


def _hosts(folder: Path, where: IncidentFilter) -> set[str]:
    with open_store(folder) as store:
        return {one.target.values[0] for one in list_incidents(store, where).incidents}


def test_only_what_is_silenced_wholly_is_hidden_and_it_is_counted(folder: Path) -> None:
    with open_store(folder) as store:
        hidden = preview(store, _silence())
    assert (hidden.signals, hidden.incidents, len(hidden.numbers)) == (5, 1, 1)
    assert _hosts(folder, IncidentFilter()) == {"web1", "web2", "web3"}
    made = add_silence(folder, _silence())
    assert _hosts(folder, IncidentFilter()) == {"web2", "web3"}
    assert _hosts(folder, EVERY) == {"web1", "web2", "web3"}
    with open_store(folder) as store:
        page = list_incidents(store)
        assert (page.total, page.silenced) == (2, 1)
        assert list_silences(store) == (made,)
        whole = get_incident(store, hidden.numbers[0])
        assert whole.silenced_signals == whole.signal_count == 3
        assert whole.to_dict()["silences"] == [made.to_dict() | {"signals": 3}]
        (partly,) = [one for one in page.incidents if one.target.values == ("web2",)]
        assert get_incident(store, partly.number).silenced_signals == 2
        assert preview(store, _silence()).incidents == 0


def test_a_silence_holds_for_its_time_and_what_it_names(folder: Path) -> None:
    add_silence(folder, _silence(starts=START + timedelta(minutes=1)))
    add_silence(folder, _silence(rule_id="r1", source="another.log"))
    assert _hosts(folder, IncidentFilter()) == {"web1", "web2", "web3"}
    add_silence(folder, _silence(rule_id="r0", source="a.log"))
    assert _hosts(folder, IncidentFilter()) == {"web2", "web3"}


def test_an_ended_silence_keeps_what_it_silenced(folder: Path) -> None:
    made = add_silence(folder, _silence(ends=START + timedelta(days=300)))
    ended = end_silence(folder, made.silence_id)
    assert ended.starts < ended.ends <= made.ends
    assert _hosts(folder, IncidentFilter()) == {"web2", "web3"}
    with pytest.raises(NotFoundError, match="no silence"):
        end_silence(folder, "0" * 8)


@pytest.mark.parametrize(
    "more",
    [
        {"owner": " "},
        {"reason": ""},
        {"reason": "a\x1bb"},
        {"entity": None},
        {"ends": START},
        {"ends": START + timedelta(days=367)},
    ],
)
def test_a_silence_without_owner_reason_end_or_subject_is_none(more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a silence"):
        _silence(**more)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["r0", "r1", None]),
            st.sampled_from([SCANNER, "web2", None]),
            st.integers(0, 400),
            st.integers(1, 400),
        ).filter(lambda one: one[0] or one[1]),
        max_size=4,
    )
)
def test_hidden_are_exactly_those_without_a_loud_signal(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[Any, Any, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("store")
    pairs = [
        pair(
            60 * one, host=f"web{one % 3}", source=SCANNER if one % 2 else None, rule=f"r{one % 2}"
        )
        for one in range(7)
    ]
    silences = [
        _silence(
            rule_id=rule,
            entity=entity,
            starts=START + timedelta(minutes=begin),
            ends=START + timedelta(minutes=begin + length),
        )
        for rule, entity, begin, length in wanted
    ]
    with open_store(folder, create=True) as store:
        record(store, [one for one, _ in pairs], [event for _, event in pairs])
    for one in silences:
        add_silence(folder, one)
    with open_store(folder) as store:
        every = [get_incident(store, one.number) for one in list_incidents(store, EVERY).incidents]
        shown = {one.number for one in list_incidents(store).incidents}
    loud = {
        one.number
        for one in every
        if any(
            not any(
                silence.starts <= signal.time < silence.ends
                and silence.rule_id in (None, signal.rule_id)
                and (silence.entity is None or silence.entity in [e.value for e in signal.entities])
                for silence in silences
            )
            for signal in one.signals
        )
    }
    assert shown == loud


def test_years_of_silences_are_no_burden(folder: Path) -> None:
    with open_store(folder) as store, store.write() as connection:
        day_us = 86_400_000_000
        connection.execute(
            insert(SilenceRow),
            [
                {
                    "silence_id": f"{number:08x}",
                    "owner": "zhao",
                    "reason": "Nightly backup",
                    "starts_us": number * day_us,
                    "ends_us": number * day_us + 1,
                    "entity": "web9",
                    "created_us": 0,
                }
                for number in range(5_000)
            ],
        )
    add_silence(folder, _silence())
    assert _hosts(folder, IncidentFilter()) == {"web2", "web3"}
    with open_store(folder) as store:
        assert preview(store, _silence(entity="web3", rule_id=None)).incidents == 1
