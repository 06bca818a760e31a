"""`bigsec silence`: preview, make, list, end; and what lists say of it."""

from __future__ import annotations

import json

import pytest

from .conftest import Runner

LINES = """\
{"EventID": 4732, "Channel": "Security", "Computer": "pc7.city.example", \
"SystemTime": "2026-03-02T09:00:00Z", "TargetUserName": "Administrators", \
"TargetSid": "S-1-5-32-544", "MemberSid": "S-1-5-21-1-2-3-1103", "SubjectUserName": "zhao"}
"""
SPAN = ("--since", "2026-03-02T08:00", "--until", "2026-03-02T10:00")


@pytest.fixture
def kept(bigsec: Runner) -> Runner:
    """A store with one incident."""
    (bigsec.folder / "a.ndjson").write_text(LINES)
    assert bigsec("scan", "a.ndjson", "--output", "kept").code == 0
    return bigsec


def test_a_silence_is_seen_before_it_is_made_and_hides_afterwards(kept: Runner) -> None:
    options = ("--reason", "Set up", "--entity", "pc7.city.example", "--store", "kept", *SPAN)
    would = kept("silence", "add", *options, "--preview", "--owner", "chen")
    assert json.loads(would.out)["hides"] == {
        "signals": 1,
        "incidents": 1,
        "numbers": ["2026-000001"],
    }
    assert "It would silence 1 signals" in would.err
    assert kept("silence", "list", "--store", "kept", "--format", "table").err == (
        "Nothing is silenced.\n"
    )
    made = json.loads(kept("silence", "add", *options, "--owner", "chen").out)
    listed = kept("incidents", "list", "--store", "kept", "--format", "table")
    assert "1 more are silenced" in listed.err
    shown = kept("incidents", "list", "--store", "kept", "--silenced")
    assert [json.loads(line)["number"] for line in shown.out.splitlines()] == ["2026-000001"]
    whole = kept("incidents", "show", "2026-1", "--store", "kept", "--format", "table").out
    assert "1 of 1 signals, by chen: Set up" in whole
    table = kept("silence", "list", "--store", "kept", "--format", "table").out
    assert f"{made['silence_id']}  over  " in table
    ended = kept("silence", "end", made["silence_id"], "--store", "kept")
    assert (ended.code, ended.err) == (0, f"Ended: {made['silence_id']}\n")


def test_a_silence_without_a_subject_or_an_end_is_refused(kept: Runner) -> None:
    bare = kept("silence", "add", "--reason", "x", "--until", "+8h", "--store", "kept")
    assert bare.code == 2
    assert "names a rule, an entity or a source" in bare.err
    assert kept("silence", "add", "--reason", "x", "--store", "kept").code == 2
    never = kept("silence", "add", "--reason", "x", "--until", "never", "--entity", "a")
    assert never.err.startswith("error[BS4001]: not a time: `never`\n")
    unknown = kept("silence", "end", "00000000", "--store", "kept")
    assert "no silence has the id" in unknown.err
