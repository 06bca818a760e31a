"""What the tests of the lake share."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bigsec.lake import Lake, LakeWriter

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lakes import CASES, batch_of


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The lake of `cases/events.ndjson`."""
    folder = tmp_path_factory.mktemp("few")
    rows = [json.loads(line) for line in (CASES / "events.ndjson").read_text().splitlines()]
    writer = LakeWriter(folder, "log")
    writer.take(batch_of(rows), len(rows))
    writer.seal()
    return Lake(folder)
