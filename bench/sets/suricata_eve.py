"""Suricata's EVE events: every leaf of every object must be in its event."""

from __future__ import annotations

from collections.abc import Iterator

from corpus import lines, named
from lossless import compare
from sets import Case, Inputs


def score(inputs: Inputs) -> Iterator[Case]:
    """One case: the events as they lie there."""
    file = named(inputs.data, "eve.ndjson")
    yield Case("lossless", tuple(compare(lines(file), "eve.json")))
