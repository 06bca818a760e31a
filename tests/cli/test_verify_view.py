"""A verification as somebody reads it who was just woken, in both languages."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from bigsec.cli import verify_view, wording
from bigsec.cli.verify import read_notes

REPORT: dict[str, Any] = {
    "ok": True,
    "name": "relay-1",
    "id": "ab" * 16,
    "first": 0,
    "size": 1_000,
    "records": 1_000,
    "bytes": 250_000,
    "segments": 2,
    "root": "cd" * 32,
    "checkpoint": 900,
    "key": "relay-1+1234+abcd",
    "caught_from": 800,
    "findings": [],
}
FINDING: dict[str, Any] = {
    "kind": "root",
    "severity": "tamper",
    "segment": 1,
    "file": "00000001-00000000000000000000.seg",
    "offset": 4_096,
    "first": 10,
    "end": 20,
    "what": "the records\x1b[31m are not those of the root",
    "mend": "compare with a copy",
}


def shown(report: dict[str, Any], monkeypatch: pytest.MonkeyPatch, language: str) -> str:
    monkeypatch.setenv("BIGSEC_LANG", language)
    stream = io.StringIO()
    console = Console(file=stream, width=200, markup=False, highlight=False, no_color=True)
    verify_view.show(report, "/data", console)
    return stream.getvalue()


@pytest.mark.parametrize("language", wording.LANGUAGES)
@pytest.mark.parametrize("verdict", ["ok", "unproven", "damage", "tamper"])
def test_the_verdict_and_what_to_do_come_first(
    monkeypatch: pytest.MonkeyPatch, language: str, verdict: str
) -> None:
    findings = [] if verdict in {"ok", "unproven"} else [FINDING | {"severity": verdict}]
    report = REPORT | {"findings": findings}
    if verdict == "unproven":
        report |= {"key": None, "checkpoint": None, "caught_from": None}
    first, second, *_ = shown(report, monkeypatch, language).splitlines()
    texts = wording.catalogue(language)
    assert texts[f"verdict.{verdict}"] in first
    assert texts[f"advice.{verdict}"] in second


def test_it_says_from_which_record_on_root_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    told = shown(REPORT, monkeypatch, "en")
    assert "the first 900 records; 100 after them are chained and not signed yet" in told
    assert "a rewrite of the first 800 records would be found even if root did it" in told


def test_a_finding_has_its_place_and_nothing_steers_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = shown(REPORT | {"findings": [FINDING]}, monkeypatch, "zh_CN")
    assert "篡改：记录被改动" in told
    assert "00000001-00000000000000000000.seg，第 4,096 字节" in told
    assert "记录 10 至 19（10 条）" in told
    assert "\x1b" not in told


def test_the_gravest_comes_first_and_a_flood_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    torn = FINDING | {"severity": "notice", "kind": "torn-tail"}
    notices = [torn | {"first": first} for first in range(10, 110)]
    told = shown(REPORT | {"findings": [*notices, FINDING]}, monkeypatch, "en")
    assert told.index("TAMPER: records changed") < told.index("notice: end torn")
    assert "and 51 more findings" in told


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_one_cause_is_one_finding(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    """An end cut off contradicts every checkpoint after it; the furthest is shown."""
    cut = [FINDING | {"kind": "rollback", "end": end} for end in (300, 305, 303)]
    told = shown(REPORT | {"findings": cut}, monkeypatch, language)
    assert told.count(FINDING["mend"]) == 1
    assert "304" in told
    assert wording.catalogue(language)["verify.alike"].format(count="2") in told


def test_checkpoints_that_contradict_were_given_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIGSEC_LANG", "en")
    stream = io.StringIO()
    console = Console(file=stream, width=200, markup=False, highlight=False, no_color=True)
    report = REPORT | {"caught_from": None, "findings": [FINDING]}
    verify_view.show(report, "/data", console, outside=3)
    assert "no checkpoint from elsewhere holds" in stream.getvalue()
    assert "was given" not in stream.getvalue()


def test_every_kind_that_the_core_can_find_has_words() -> None:
    import re
    from pathlib import Path

    source = Path(__file__).parents[2] / "rust/evidence/src/verify/report.rs"
    body = source.read_text().split("pub enum Kind {")[1].split("}\n")[0]
    kinds = re.findall(r"^    ([A-Z]\w+),$", body, re.MULTILINE)
    assert len(kinds) > 20
    for kind in kinds:
        name = re.sub(r"(?<!^)([A-Z])", r"_\1", kind).lower()
        assert f"finding.{name}" in wording.catalogue("en"), kind


def test_notes_of_a_keeper_are_told_apart() -> None:
    import tempfile

    one = "relay-1\n6\nAAAA\ntime x\n\n— relay-1 sig\n"
    two = "relay-1\n7\nBBBB\ntime y\n\n— relay-1 sig\n— other sig\n"
    with tempfile.NamedTemporaryFile("w", suffix=".checkpoints") as file:
        file.write(one + "\n" + two + "\n")
        file.flush()
        assert read_notes(file.name) == [one, two]
