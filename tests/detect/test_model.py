"""Rows become signals and evidence, or the field at fault is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigsec.detect import LEVELS, Answer, Evidence, Signal, level_of, severity_of
from bigsec.detect.moments import from_text, from_us, to_text, to_us
from bigsec.errors import SchemaError

from .conftest import pair


def test_a_row_becomes_a_signal_and_back() -> None:
    row, _ = pair(0, source="203.0.113.9", techniques=("T1110",), cves=("CVE-2024-0001",))
    signal = Signal.from_row(row)
    assert signal.time == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert signal.attack_techniques == ("T1110",)
    assert [(one.type, one.value) for one in signal.entities] == [
        ("host", "web1"),
        ("ip", "203.0.113.9"),
    ]
    again = Signal.from_row(json.loads(json.dumps(signal.to_dict())))
    assert again.to_dict() == signal.to_dict() | {
        "entities": [one | {"role": "related"} for one in signal.to_dict()["entities"]]
    }


def test_absent_fields_are_what_the_schema_says() -> None:
    row, _ = pair(0)
    needed = {"signal_id", "rule_id", "rule_title", "time"}
    signal = Signal.from_row({name: row[name] for name in needed})
    assert signal.level == "informational"
    assert signal.result == "unknown"
    assert signal.rule_author is None
    assert signal.event_ids == signal.entities == signal.cves == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signal_id", None),
        ("signal_id", "AB" * 16),
        ("signal_id", "ab" * 15),
        ("rule_id", None),
        ("rule_title", 7),
        ("time", None),
        ("time", "yesterday"),
        ("time", 5),
        ("level", "worst"),
        ("severity_id", "high"),
        ("result", "maybe"),
        ("event_ids", ["nonsense"]),
        ("event_ids", "ab" * 16),
        ("cves", [1]),
        ("entities", ["x"]),
        ("entities", {"type": "ip"}),
    ],
)
def test_a_signal_row_at_fault_names_the_field(name: str, value: Any) -> None:
    row, _ = pair(0)
    with pytest.raises(SchemaError, match=f"`{name}`") as caught:
        Signal.from_row(row | {name: value})
    assert caught.value.code == "BS3002"


def test_a_row_becomes_evidence_without_its_text_twice() -> None:
    _, row = pair(0, source="203.0.113.9")
    event = Evidence.from_row(row)
    assert event.raw == row["raw_data"]
    assert "raw_data" not in event.ocsf
    assert event.ocsf["src_ip"] == "203.0.113.9"
    assert event.to_dict()["time"] == "2026-03-01T08:00:00.000000Z"


@pytest.mark.parametrize("name", ["event_id", "time_effective"])
def test_an_event_row_at_fault_names_the_field(name: str) -> None:
    _, row = pair(0)
    del row[name]
    with pytest.raises(SchemaError, match=f"`{name}`"):
        Evidence.from_row(row)


def test_an_event_may_have_neither_time_nor_text() -> None:
    _, row = pair(0)
    del row["time"], row["raw_data"]
    event = Evidence.from_row(row)
    assert (event.time, event.raw) == (None, None)
    assert event.to_dict()["time"] is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T08:00:00.000001Z", datetime(2026, 3, 1, 8, 0, 0, 1, tzinfo=UTC)),
        ("2026-03-01T08:00:00.000000+00:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01T16:00:00.000000+08:00", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("+30828-09-14T02:48:05.477580Z", datetime.max.replace(tzinfo=UTC)),
        ("-0001-01-01T00:00:00.000000Z", datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_times_of_any_clock_can_be_read(text: str, moment: datetime) -> None:
    assert from_text(text) == moment


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_number_of_microseconds_is_a_moment(microseconds: int) -> None:
    moment = from_us(microseconds)
    assert from_text(to_text(moment)) == moment
    if datetime.min.replace(tzinfo=UTC) < moment < datetime.max.replace(tzinfo=UTC):
        assert to_us(moment) == microseconds


def test_levels_and_severities_are_one_scale() -> None:
    assert [severity_of(level) for level in LEVELS] == [1, 2, 3, 4, 5]
    assert [level_of(number) for number in (0, 1, 2, 3, 4, 5, 6, 99)] == [
        "informational",
        *LEVELS,
        "critical",
        "informational",
    ]
    with pytest.raises(ValueError, match="no level `worst`; the levels are informational, low"):
        severity_of("worst")


def test_an_answer_has_values_or_a_reason_and_never_both() -> None:
    with pytest.raises(ValueError, match="or a reason"):
        Answer()
    with pytest.raises(ValueError, match="or a reason"):
        Answer(("x",), 1, "no_cve_in_rules")


def test_an_answer_says_how_many_more_there_are() -> None:
    answer = Answer(("a", "b"), 5)
    assert answer.text("en") == "a, b and 3 more"
    assert answer.text("zh") == "a、b 等 5 个"
    assert answer.to_dict() == {"values": ["a", "b"], "total": 5}
    missing = Answer(reason="no_cve_in_rules")
    assert missing.to_dict()["reason"] == "no_cve_in_rules"
