"""Why signals are together: what they share, rarest first, and never what does not tie them."""

from __future__ import annotations

from bigsec.detect import get_incident, list_incidents, record
from bigsec.store import Store

from .conftest import Pair, pair


def _put(store: Store, pairs: list[Pair]) -> None:
    record(store, [one for one, _ in pairs], [event for _, event in pairs])


def _links(store: Store, entity: str) -> list[tuple[str, str, int]]:
    (found,) = [
        one
        for one in list_incidents(store, limit=1000).incidents
        if any(own.value == entity for own in get_incident(store, one.number).entities)
    ]
    links = get_incident(store, found.number).links
    return [(link.by, link.value, link.signals) for link in links]


def test_a_source_and_a_host_tie_and_the_rarer_says_more(store: Store) -> None:
    _put(store, [pair(10_000 + 500 * one, host="web1", source=f"10.0.0.{one}") for one in range(5)])
    _put(store, [pair(one, rule=f"r{one}", host="web1", source="203.0.113.9") for one in range(3)])
    assert _links(store, "203.0.113.9") == [
        ("source", "203.0.113.9", 3),
        ("target", "web1", 3),
    ]


def test_rules_on_one_record_tie(store: Store) -> None:
    _put(store, [pair(0, rule=f"r{one}", host=None, event="same") for one in range(3)])
    (incident,) = list_incidents(store).incidents
    (link,) = get_incident(store, incident.number).links
    assert link.to_dict() == {
        "by": "record",
        "type": "record",
        "value": "1",
        "signals": 3,
        "bits": None,
    }


def test_a_single_signal_has_no_links(store: Store) -> None:
    _put(store, [pair(0)])
    (incident,) = list_incidents(store).incidents
    assert get_incident(store, incident.number).links == ()


def test_one_rule_in_one_place_is_said_where_nothing_else_ties(store: Store) -> None:
    many = [pair(one / 10, host="web1", source=f"203.0.113.{one}") for one in range(60)]
    _put(store, many)
    (incident,) = list_incidents(store).incidents
    links = get_incident(store, incident.number).links
    assert [(link.by, link.value, link.signals) for link in links] == [("rule", "web1", 60)]
    assert "一" in links[0].text("zh")
    assert "60 signals" in links[0].text("en")
