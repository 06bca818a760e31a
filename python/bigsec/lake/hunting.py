"""New rules and indicators over stored events: the signals that the stream would have given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from bigsec._core import Batch, Rules
from bigsec.lake.reading import Lake
from bigsec.lake.shape import as_events

__all__ = ["Hunted", "hunt"]

AT_ONCE: Final = 8
"""Batches matched together: some ten thousand events."""


@dataclass(frozen=True, slots=True)
class Hunted:
    """Signals, the events that they speak of, and how many events were looked at for them."""

    signals: list[dict[str, Any]]
    events: list[dict[str, Any]]
    looked_at: int


def hunt(
    lake: Lake,
    rules: Rules,
    text: str = "",
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Hunted]:
    """Match stored events that fit a filter, part by part.

    Correlations are judged over all of them in the order of their times, in one part.
    Raises QueryError, LakeError, and SchemaError where a file is not of the event schema.
    """
    if any(rule.is_correlation for rule in rules.rules):
        yield _whole(lake, rules, lake.events(text, since=since, until=until, ordered=True))
        return
    events = lake.events(text, since=since, until=until)
    for part in _parts(events):
        signals = rules.match(part).to_pylist()
        yield Hunted(signals, _spoken_of(part, signals), part.num_rows)


def _whole(lake: Lake, rules: Rules, events: Any) -> Hunted:
    """One match over a stream; its events are looked up afterwards, so that none is held."""
    looked_at = 0

    def counted() -> Iterator[Any]:
        nonlocal looked_at
        for batch in events:
            looked_at += batch.num_rows
            yield batch

    stream = pa.RecordBatchReader.from_batches(events.schema, counted())
    signals = rules.match(stream).to_pylist()
    ids = sorted({bytes.fromhex(one) for signal in signals for one in signal["event_ids"]})
    found = as_events(lake.by_id(ids), [])
    return Hunted(signals, [event for one in found for event in Batch(one).to_pylist()], looked_at)


def _parts(events: Any) -> Iterator[Any]:
    while batches := list(islice(events, AT_ONCE)):
        yield pa.Table.from_batches(batches, schema=events.schema)


def _spoken_of(part: Any, signals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = {bytes.fromhex(one) for signal in signals for one in signal["event_ids"]}
    if not ids:
        return []
    wanted = pa.array(sorted(ids), type=part.schema.field("event_id").type)
    table = part.filter(pc.is_in(part["event_id"], value_set=wanted))
    return [event for one in table.to_batches() for event in Batch(one).to_pylist()]
