"""`bigsec incidents`: what scans have kept, listed and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Runner


@pytest.fixture
def store(bigsec: Runner, cases: Path) -> Path:
    done = bigsec("scan", cases / "access.log", cases / "windows.ndjson", "--output", "store")
    assert done.code == 0
    done = bigsec(
        "scan", cases / "access.log", cases / "windows.ndjson",
        "--rules", cases / "rules", "--output", "store",
    )  # fmt: skip
    assert done.code == 0
    return bigsec.folder / "store"


def test_list_shows_level_title_times_and_who(bigsec: Runner, store: Path) -> None:
    done = bigsec.on_terminal("incidents", "list", "--store", store, "--color", "never")
    assert done.code == 0
    assert "▲ high" in done.out
    assert "203.0.113.66 → " in done.out
    assert "+00:00" in done.out
    rows = [
        json.loads(line) for line in bigsec("incidents", "list", "--store", store).out.splitlines()
    ]
    assert all(row["number"] in done.out for row in rows)


def test_the_store_can_be_named_by_environment_and_default(bigsec: Runner, store: Path) -> None:
    named = bigsec("incidents", "list", env={"BIGSEC_STORE": str(store)})
    assert named.code == 0
    store.rename(bigsec.folder / "bigsec-data")
    assert bigsec("incidents", "list").out == named.out


def test_the_list_can_be_narrowed(bigsec: Runner, store: Path) -> None:
    def count(*options: str) -> int:
        return len(bigsec("incidents", "list", "--store", store, *options).out.splitlines())

    everything = count()
    assert 0 < count("--min-level", "high") < everything
    assert count("--search", "203.0.113.66") >= 1
    assert count("--search", "no such thing") == 0
    assert count("--until", "2020-01-01") == 0
    assert count("--since", "2020-01-01") == everything


def test_a_limit_holds_for_every_format(bigsec: Runner, store: Path) -> None:
    for form in ("ndjson", "csv", "table"):
        done = bigsec("incidents", "list", "--store", store, "-n", "1", "--format", form)
        numbers = [line for line in done.out.splitlines() if "2026-0" in line.split(" ")[0]]
        assert len(numbers) == 1, form


def test_show_answers_the_four_questions_with_evidence(bigsec: Runner, store: Path) -> None:
    (first, *_) = [
        json.loads(line)
        for line in bigsec(
            "incidents", "list", "--store", store, "--min-level", "high"
        ).out.splitlines()
    ]
    shown = bigsec.on_terminal(
        "incidents", "show", first["number"], "--store", store, "--color", "never"
    )
    assert shown.code == 0
    for word in ("Source", "Method", "Target", "Weakness", "Timeline", "Raw records", "Rules"):
        assert word in shown.out
    assert "GET /download?file=../../../../etc/passwd" in shown.out.replace("\n", "")
    assert "Lin Example, Apache-2.0" in shown.out
    chinese = bigsec.on_terminal(
        "incidents", "show", first["number"], "--store", store, env={"BIGSEC_LANG": "zh_CN"}
    )
    for word in ("来源", "手法", "目标", "弱点", "时间线", "原始记录", "规则"):
        assert word in chinese.out
    (whole,) = [
        json.loads(line)
        for line in bigsec(
            "incidents", "show", first["incident_id"][:10], "--store", store
        ).out.splitlines()
    ]
    assert whole["incident_id"] == first["incident_id"]


def test_what_is_not_there_is_said_so(bigsec: Runner, store: Path) -> None:
    unknown = bigsec("incidents", "show", "2001-000001", "--store", store)
    assert (unknown.code, unknown.out) == (3, "")
    assert "BS3106" in unknown.err
    nowhere = bigsec("incidents", "list", "--store", "nowhere")
    assert (nowhere.code, nowhere.out) == (3, "")
    assert "BS3104" in nowhere.err
