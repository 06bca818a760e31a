"""Lakes for tests, made of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

import bigsec

CASES = Path(__file__).parent / "cases"
SCHEMA: Any = pa.schema(bigsec.read([]))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def batch_of(rows: Iterable[Mapping[str, Any]]) -> Any:
    """Event rows as a batch; `n` is the number of each, its sequence and id."""
    made = []
    for row in rows:
        held = {name: value for name, value in row.items() if name != "n"}
        when = held["time"] if isinstance(held["time"], datetime) else moment(held["time"])
        received = held.get("time_received", when)
        held |= {"time": when, "time_effective": when, "time_received": received}
        held.setdefault("severity_id", 1)
        held = {"source": "s", "parser": "p"} | held | {"event_id": row["n"].to_bytes(16)}
        held.setdefault("unmapped", [])
        made.append(held)
    return pa.RecordBatch.from_pylist(made, schema=SCHEMA)


def numbers(batches: Iterable[Any]) -> list[int]:
    """The numbers of events, in their order."""
    return [int.from_bytes(value) for one in batches for value in one["event_id"].to_pylist()]
