"""Zeek logs of every kind, in every shape its own tests write them.

A file is right where it gives as many events as it has records, each read as Zeek's, and where
every name of the `#fields` line in force stands in each of them, unset values as nulls.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import bigsec
from corpus import named, rows
from fields import Event, events
from scorer import share
from sets import Case, Inputs, Line, Void

PARSER = "zeek"
TEST_TOOL = "### "
SHOWN = 20


def score(inputs: Inputs) -> Iterator[Case]:
    """One case: files that are right, records, records with all their fields; what went wrong."""
    whole = files = found = complete = records = 0
    wrong: Counter[str] = Counter()
    for row in rows(named(inputs.data, "files.jsonl")):
        text = [line for line in row["text"].splitlines() if not line.startswith(TEST_TOOL)]
        read = list(events(bigsec.read(text, name=row["id"])))
        zeek = [event for event in read if event.parser == PARSER]
        lacking = _lacking(text, read)
        wrong.update(name for names in lacking for name in names)
        files, records = files + 1, records + row["records"]
        # More events than records are as wrong as fewer.
        right = min(len(zeek), row["records"]) - max(0, len(read) - row["records"])
        full = min(right, sum(not names for names in lacking))
        found, complete = found + right, complete + full
        whole += full == row["records"]
        if right != row["records"]:
            wrong[f"{row['id']}: {len(zeek)} of {row['records']} records, {len(read)} events"] += 1
    if not found:
        raise Void(f"of {records} records in {inputs.data} none was read as Zeek's")
    yield Case(
        "files",
        (
            share("files right", whole, files),
            share("records", found, records),
            share("records with every field", complete, records),
            *_told(wrong),
        ),
    )


def _told(wrong: Counter[str]) -> Iterator[Line]:
    for what, count in wrong.most_common(SHOWN):
        yield Line(f"wrong {count} x {what}", {"what": f"wrong {what}", "got": count})


def _lacking(text: list[str], read: list[Event]) -> list[set[str]]:
    """For each event the names that the header above its record says, and that it does not have."""
    declared = list(_declared(text))
    return [
        {name.lower() for name in names} - event.fields.keys()
        for names, event in zip(declared, read, strict=False)
    ]


def _declared(text: list[str]) -> Iterator[list[str]]:
    """For each record the names of the fields that it sets, by the header lines before it."""
    names: list[str] = []
    separator, unset = "\t", "-"
    for line in text:
        if line.startswith("#separator "):
            separator = line.split(" ", 1)[1].encode().decode("unicode_escape")
        elif line.startswith("#unset_field"):
            unset = line.split(separator)[1]
        elif line.startswith("#fields"):
            names = line.split(separator)[1:]
        elif line and not line.startswith("#"):
            values = line.split(separator)
            yield [name for name, value in zip(names, values, strict=False) if value != unset]
