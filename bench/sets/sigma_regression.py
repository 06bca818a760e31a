"""SigmaHQ's regression data: each rule must match at least so many of its own events."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import scorer
from corpus import named
from matches import find, load_rules
from sets import Case, Inputs


def score(inputs: Inputs) -> Iterator[Case]:
    """Once over the flat events and once over the raw ones."""
    events = inputs.events or inputs.sister("windows-events") / "sigmahq-regression"
    rules = load_rules(inputs.rules or inputs.data / "rules_used")
    truth = named(inputs.data, "expected.jsonl")
    for shape in ("flat", "raw"):
        found = find([named(events, f"{shape}.ndjson")], rules, {rule.id for rule in rules.rules})
        with tempfile.TemporaryDirectory() as folder:
            predicted = scorer.write_matches(Path(folder) / "predicted.jsonl", found.by_rule)
            judged = scorer.run(inputs.scorer, "regression", truth, predicted)
        yield Case(shape, (found.line(), *judged))
