"""Reads messages each as a source of its own, and has what came out judged."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
# The same in a document.
_OWN_IN_ECS = frozenset(["@timestamp", "event.module"])


@dataclass(frozen=True)
class Read:
    """What came out of one message: its events, and the same by the names of ECS."""

    events: list[Event]
    documents: list[dict[str, Any]]


def read(message: str) -> Read:
    """Read one message; line ends inside it do not end it."""
    batches = list(bigsec.read([message], name="message"))
    documents = [document for batch in batches for document in batch.to_ecs()]
    return Read(list(events(iter(batches))), documents)


def values(found: Read) -> list[str]:
    """Each value once: of the columns, of the source's own fields, and of the documents."""
    columns = (one for event in found.events for one in event.columns.items())
    seen = {str(value): None for name, value in columns if name not in _OWN and value is not None}
    for document in found.documents:
        for name, value in document.items():
            every = value if isinstance(value, list) else [value]
            seen.update((str(one), None) for one in every if name not in _OWN_IN_ECS)
    for event in found.events:
        for texts in event.fields.values():
            seen.update((text, None) for text in texts if text is not None)
    return list(seen)


def judge(inputs: Inputs, stem: str) -> Iterator[Case]:
    """Judge every message of a file by the scorer's `values` and `named`.

    `named` is judged over all messages, and over those of each pack.
    """
    truth = named(inputs.data, stem)
    with tempfile.TemporaryDirectory() as folder:
        predicted, documents = Path(folder) / "values.jsonl", Path(folder) / "named.jsonl"
        by_pack: dict[str, list[dict[str, Any]]] = {}
        with predicted.open("w", encoding="utf-8") as file, documents.open("w") as ecs:
            for row in rows(truth):
                found = read(row["message"])
                if not found.events:
                    raise Void(f"nothing came out of {row['id']}")
                file.write(json.dumps({"id": row["id"], "fields": values(found)}) + "\n")
                ecs.write(json.dumps({"id": row["id"], "ecs": found.documents}) + "\n")
                by_pack.setdefault(found.events[0].parser, []).append(row)
        yield Case("values", scorer.run(inputs.scorer, "values", truth, predicted))
        yield Case("named", scorer.run(inputs.scorer, "named", truth, documents))
        for pack, its in sorted(by_pack.items()):
            part = Path(folder) / "part.jsonl"
            part.write_text("".join(f"{json.dumps(row)}\n" for row in its), encoding="utf-8")
            lines = scorer.run(inputs.scorer, "named", part, documents)
            yield Case(
                f"named, of {pack}", tuple(one for one in lines if one.text.startswith("all"))
            )
