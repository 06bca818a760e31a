"""The benches of the daemon run on little, every side does its work, and each gives its rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import real_senders

import acknowledge
import collect
import datagrams
import verify


def test_every_side_does_its_work_on_a_small_corpus(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real_senders.unpacked()
    assert collect.main(["--megabytes", "4", "--rounds", "1", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["case"] for row in rows] == [*collect.CORPORA, "mix"]
    assert all(row["bigsec"] > 0 and row["ratio"] > 0 for row in rows)


def _rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_records_are_acknowledged_beside_the_bare_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (
        acknowledge.main(["--records", "2000", "--senders", "2", "--windows", "100", "--json"]) == 0
    )
    assert [row["records"] for row in _rows(capsys)] == [2000, 2000]


def test_raw_and_sealed_logs_are_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert verify.main(["--records", "110000", "--json"]) == 0
    assert [bool(row["sealed"]) for row in _rows(capsys)] == [False, True]


def test_datagrams_are_all_accounted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert datagrams.main(["--rate", "2000", "--seconds", "1", "--json"]) == 0
    assert [row["sent"] for row in _rows(capsys)] == [2000, 2000]
