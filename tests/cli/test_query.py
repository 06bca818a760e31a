"""`bigsec query` and `bigsec lake`: from a log to answers, in each form and language."""

from __future__ import annotations

import csv
import io
import json

import pytest

from .conftest import Runner

LINES = "".join(
    f"2026-03-0{1 + n % 2}T08:00:{n:02}Z web1 sshd[7]: {what} password for {user} "
    f"from 192.0.2.{n % 3} port 22 ssh2\n"
    for n, (what, user) in enumerate([("Failed", "root"), ("Accepted", "li.wei")] * 10)
)


@pytest.fixture
def filled(bigsec: Runner) -> Runner:
    """A lake of twenty events."""
    (bigsec.folder / "auth.log").write_text(LINES)
    assert bigsec("scan", "auth.log", "--output", "kept").code == 0
    done = bigsec("lake", "fill", "kept", "--lake", "bigsec-lake")
    assert (done.code, done.err) == (0, "20 events added to bigsec-lake.\n")
    return bigsec


def test_a_log_is_taken_once_and_times_are_the_events_own(filled: Runner) -> None:
    assert filled("lake", "fill", "kept").err == "0 events added to bigsec-lake.\n"
    assert json.loads(filled("query", "--count").out) == {"events": 20}
    spans = ("--since", "2026-03-02", "--until", "2026-03-03")
    assert json.loads(filled("query", "--count", *spans).out) == {"events": 10}
    lines = [json.loads(line) for line in filled("lake", "info").out.splitlines()]
    assert sum(line["events"] for line in lines) == 20


def test_events_come_in_each_form(filled: Runner) -> None:
    asked = ("query", "user_name:root src_ip:192.0.2.0/24", "--limit", "3")
    events = [json.loads(line) for line in filled(*asked).out.splitlines()]
    assert [event["user_name"] for event in events] == ["root"] * 3
    assert events == json.loads(filled(*asked, "--format", "json").out)
    rows = list(csv.DictReader(io.StringIO(filled(*asked, "--format", "csv").out)))
    assert [row["event_id"] for row in rows] == [event["event_id"] for event in events]
    assert rows[0]["said"].startswith("Failed password for root")
    everything = filled("query", "--limit", "0").out.splitlines()
    assert len({json.loads(line)["event_id"] for line in everything}) == 20


def test_a_terminal_gets_a_table_and_is_told_of_more(filled: Runner) -> None:
    shown = filled.on_terminal("query", "user_name:root", "--limit", "2")
    assert "Failed password for root" in shown.out
    assert "2 of 10 events" in shown.err
    chinese = filled.on_terminal("query", "user_name:root", "-n", "2", env={"BIGSEC_LANG": "zh_CN"})
    assert "时间" in chinese.out
    assert "共 10 条日志事件" in chinese.err
    nothing = filled.on_terminal("query", "user_name:nobody")
    assert (nothing.out, nothing.err.strip()) == ("", "No event.")


def test_the_most_frequent_and_the_histogram(filled: Runner) -> None:
    top = [json.loads(line) for line in filled("query", "--top", "user_name").out.splitlines()]
    assert top == [{"value": "li.wei", "events": 10}, {"value": "root", "events": 10}]
    table = filled("query", "--top", "user_name", "--format", "table").out
    assert table.splitlines()[0].split() == ["10", "li.wei"]
    days = [json.loads(line) for line in filled("query", "--histogram", "1d").out.splitlines()]
    assert [day["events"] for day in days] == [10, 10]
    assert days[0]["start"] == "2026-03-01T00:00:00+00:00"
    assert "█" in filled("query", "--histogram", "1d", "--format", "table").out


def test_what_cannot_be_asked_is_told_with_its_column(filled: Runner) -> None:
    wrong = filled("query", "user_name:root AND usr:x")
    assert wrong.code == 2
    assert "error[BS3201]: no column is called `usr`" in wrong.err
    assert "filter:1:20" in wrong.err
    assert filled("query", "--count", "--top", "user_name").code == 2
    assert filled("query", "--histogram", "soon").code == 2
    none = filled("query", "--lake", "nowhere")
    assert (none.code, "error[BS3205]" in none.err) == (3, True)


def test_a_hunt_finds_what_a_scan_would_have(filled: Runner) -> None:
    rule = """
title: Log-on of root
id: 5a1f2f3e-6d09-4a1c-8b71-0d2f6c4c1a01
status: test
level: high
logsource: {product: linux, service: sshd}
detection:
  keywords: Failed password for root
  condition: keywords
"""
    (filled.folder / "new.yml").write_text(rule)
    scanned = filled("scan", "auth.log", "--rules", "new.yml", "--signals")
    hunted = filled("hunt", "--rules", "new.yml", "--signals")
    found, expected = (
        {json.loads(line)["signal_id"] for line in done.out.splitlines()}
        for done in (hunted, scanned)
    )
    assert (hunted.code, len(found)) == (0, 10)
    assert found == expected
    assert "Looked at 20 events." in hunted.err
    some = filled("hunt", "src_ip:192.0.2.0", "--rules", "new.yml", "--output", "found")
    assert json.loads(some.out.splitlines()[0])["number"]
    listed = filled("incidents", "list", "--store", "found")
    assert len(listed.out.splitlines()) >= 1
