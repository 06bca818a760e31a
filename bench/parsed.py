"""Reads messages each as a source of its own, and has what came out judged."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import bigsec
import scorer
from corpus import named, rows
from fields import Event, events
from sets import Case, Inputs, Void

# What every event has, whatever stood in its record: no value of it was parsed.
_OWN = frozenset(
    [
        "event_id",
        "class_uid",
        "source",
        "parser",
        "field_map",
        "time_received",
        "time_effective",
        "tz_offset_min",
        "raw_data",
    ]
)


def read(message: str) -> list[Event]:
    """The events of one message; line ends inside it do not end it."""
    return list(events(bigsec.read([message], name="message")))


def values(found: list[Event]) -> list[str]:
    """Each value of the events once: of the columns, and of the source's own fields."""
    columns = (one for event in found for one in event.columns.items())
    seen = {str(value): None for name, value in columns if name not in _OWN and value is not None}
    for event in found:
        for texts in event.fields.values():
            seen.update((text, None) for text in texts if text is not None)
    return list(seen)


def value_recall(inputs: Inputs, stem: str) -> Case:
    """Judge the values of every message of a file by the scorer's `values`."""
    truth = named(inputs.data, stem)
    with tempfile.TemporaryDirectory() as folder:
        predicted = Path(folder) / "predicted.jsonl"
        with predicted.open("w", encoding="utf-8") as file:
            for row in rows(truth):
                found = read(row["message"])
                if not found:
                    raise Void(f"nothing came out of {row['id']}")
                file.write(json.dumps({"id": row["id"], "fields": values(found)}) + "\n")
        return Case("values", scorer.run(inputs.scorer, "values", truth, predicted))
