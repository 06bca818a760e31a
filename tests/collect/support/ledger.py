"""Reads the store by SQL alone: the ledger of each source, and whether the file is whole."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from .evidence import records

_PLATFORM = "bigsec."


def ledger(store: Path) -> dict[str, dict[str, int]]:
    """Received, parsed, unparsed and quarantined records of each source."""
    query = (
        "SELECT source, sum(received), sum(parsed), sum(unparsed), sum(quarantined)"
        " FROM source_ledger GROUP BY source"
    )
    names = ("received", "parsed", "unparsed", "quarantined")
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        rows = connection.execute(query).fetchall()
    return {source: dict(zip(names, counts, strict=True)) for source, *counts in rows}


def assert_ledger_equals(store: Path, evidence: Path) -> Mapping[str, int]:
    """The ledger's sums are those of the evidence, source by source; gives the counts."""
    held = Counter(record.source for record in records(evidence))
    told = ledger(store)
    for source, count in held.items():
        if source.startswith(_PLATFORM):
            continue
        row = told.get(source, {})
        assert row.get("received") == count, f"{source}: {row} against {count} in the evidence"
        assert row["received"] == row["parsed"] + row["unparsed"] + row["quarantined"], row
    return held


def integrity(store: Path, work: Path) -> str:
    """What SQLite says of a copy of the store and its journal, as a killed process left them."""
    if not store.exists():
        return "ok"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for path in store.parent.glob(f"{store.name}*"):
        shutil.copy(path, work / path.name)
    with sqlite3.connect(work / store.name) as connection:
        (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
    return str(answer)
