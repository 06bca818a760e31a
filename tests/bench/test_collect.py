"""The bench of the daemon runs on a small corpus, every side does its work, and gives a row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import real_senders

import collect


def test_every_side_does_its_work_on_a_small_corpus(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real_senders.unpacked()
    assert collect.main(["--megabytes", "4", "--rounds", "1", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["case"] for row in rows] == [*collect.CORPORA, "mix"]
    assert all(row["bigsec"] > 0 and row["ratio"] > 0 for row in rows)
