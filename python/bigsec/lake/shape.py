"""What a query gives in the shape of the event schema, as the core takes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from bigsec.lake.parquet import MAP_PREFIX
from bigsec.library import read

__all__ = ["as_events", "event_schema"]


def event_schema(paths: Iterable[Path]) -> Any:
    """The event schema with the field maps of these files, also of packs that changed since."""
    schema = pa.schema(read([]))
    known = dict(schema.metadata)
    maps: dict[bytes, bytes] = {}
    for path in paths:
        held = pq.read_schema(path).metadata or {}
        maps |= {key: value for key, value in held.items() if key.startswith(MAP_PREFIX)}
    kept = {key: value for key, value in known.items() if not key.startswith(MAP_PREFIX)}
    return schema.with_metadata({**kept, **maps})


def as_events(batches: Iterable[Any], paths: Iterable[Path]) -> Any:
    """The batches as a reader in the event schema."""
    schema = event_schema(paths)

    def cast() -> Iterator[Any]:
        for batch in batches:
            yield from pa.Table.from_batches([batch]).select(schema.names).cast(schema).to_batches()

    return pa.RecordBatchReader.from_batches(schema, cast())
