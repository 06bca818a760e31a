"""Stored events are listed by time and field, page by page, and lead to their incident."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

import bigsec
from bigsec.detect import (
    EventFilter,
    IncidentFilter,
    get_event,
    level_counts,
    list_events,
    list_incidents,
    record,
    rule_counts,
    summary,
)
from bigsec.errors import NotFoundError
from bigsec.store import Store, memory_store

LINES = [
    f"Jan  2 03:{minute:02}:06 web{minute % 2} sudo:   user{minute} : TTY=pts/0 ; PWD=/ ; "
    "USER=root ; COMMAND=/bin/bash"
    for minute in range(10)
]


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with memory_store() as store:
        for chunk in bigsec.scan(LINES, bigsec.Rules.load(), name="auth.log"):
            record(store, chunk.signals.to_pylist(), chunk.events.to_pylist())
        yield store


def test_pages_together_are_all_events_latest_first(store: Store) -> None:
    seen, after = [], None
    while True:
        page = list_events(store, EventFilter(), limit=3, after=after)
        assert (page.total, page.total_exact) == (len(LINES), True)
        seen += page.events
        after = page.next
        if after is None:
            break
    assert [event.raw for event in seen] == LINES[::-1]


def _found(store: Store, where: EventFilter) -> list[str | None]:
    return [event.raw for event in list_events(store, where).events][::-1]


def test_filters_take_what_fits(store: Store) -> None:
    first = list_events(store, EventFilter()).events[-1].time_effective
    cut = first + timedelta(minutes=4)
    assert _found(store, EventFilter(since=cut)) == LINES[4:]
    assert _found(store, EventFilter(until=cut)) == LINES[:4]
    assert _found(store, EventFilter(text="WEB1")) == LINES[1::2]
    assert _found(store, EventFilter(fields={"device.hostname": "web0"})) == LINES[::2]
    both = {"device.hostname": "web0", "user_name": "user4"}
    assert _found(store, EventFilter(fields=both)) == [LINES[4]]
    assert _found(store, EventFilter(fields={"class_uid": "1007"})) == LINES
    assert _found(store, EventFilter(fields={"no.such": "x"})) == []
    assert _found(store, EventFilter(source="auth.log", parser="linux_auth")) == LINES
    assert _found(store, EventFilter(source="other")) == []
    assert _found(store, EventFilter(text="%")) == []


def test_a_rule_has_its_events_and_counts(store: Store) -> None:
    counts = rule_counts(store)
    assert counts
    for rule_id, count in counts.items():
        assert len(_found(store, EventFilter(rule_id=rule_id))) == count.signals
        assert 1 <= count.incidents <= list_incidents(store).total
        assert count.first <= count.last < datetime.now(UTC) + timedelta(days=366)


@pytest.mark.parametrize("path", ["", "a'b", "a..b", "A", "a" + ".a" * 9, "$", 'a"'])
def test_what_is_no_field_is_refused(store: Store, path: str) -> None:
    with pytest.raises(ValueError, match="field"):
        list_events(store, EventFilter(fields={path: "x"}))


@pytest.mark.parametrize(
    "cursor", ["", "x", "W10", "WzEsMl0", "WzEwMDAwMDAwMDAwMDAwMDAwMDAwLCJhIl0"]
)
def test_what_is_no_cursor_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        list_events(store, EventFilter(), after=cursor)


def test_an_event_leads_to_its_incident(store: Store) -> None:
    event = list_events(store, EventFilter(), limit=1).events[0]
    found = get_event(store, event.event_id.upper())
    assert found.event == event
    numbers = {one.number for one in list_incidents(store).incidents}
    assert found.signals
    assert {one.incident for one in found.signals} <= numbers


@pytest.mark.parametrize("reference", ["", "x", "0" * 32, "0" * 31])
def test_an_event_that_is_not_there_is_said_so(store: Store, reference: str) -> None:
    with pytest.raises(NotFoundError):
        get_event(store, reference)


def test_levels_are_counted_as_the_summary_has_them(store: Store) -> None:
    assert level_counts(store) == summary(store).levels


def test_an_entity_leads_to_its_incidents(store: Store) -> None:
    for name, lines in (("web0", LINES[::2]), ("nobody", [])):
        page = list_incidents(store, IncidentFilter(entity=name))
        assert page.total == len(page.incidents) == (1 if lines else 0)
