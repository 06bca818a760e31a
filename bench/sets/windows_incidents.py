"""How many captures of attacks on Windows become an incident that somebody looks at.

Every capture of `windows-events` is scanned by itself with SigmaHQ's rules and our own, and its
signals are grouped as the centre groups them. Counted: captures with an incident of medium or
above; incidents a capture; and how many of these incidents say who, how and what, or else why not.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

import bigsec
from bigsec.detect import Incident, IncidentFilter, list_incidents, record
from bigsec.store import memory_store
from corpus import lines, unpack_rules, without
from matches import load_rules, shaped
from sets import Case, Inputs, Line, Void

DATA = "windows-events"
LEVEL = "medium"
ANSWERS = ("source", "method", "target")


@dataclass
class Tally:
    """What came of the captures of one folder."""

    per_capture: dict[str, list[Incident]] = field(default_factory=dict)

    def lines(self) -> tuple[Line, ...]:
        """The figures; the captures without an incident come last, by name."""
        counts = [len(found) for found in self.per_capture.values()]
        seen = sum(1 for count in counts if count)
        return (
            share("captures with an incident", seen, len(counts)),
            number("incidents a capture, median", statistics.median(counts)),
            number("incidents a capture, most", max(counts)),
            *self._answers(),
            *(Line(f"  none: {name}") for name, found in self.per_capture.items() if not found),
        )

    def _answers(self) -> Iterator[Line]:
        incidents = list(itertools.chain.from_iterable(self.per_capture.values()))
        for name in ANSWERS:
            told = [getattr(incident, name) for incident in incidents]
            filled = sum(1 for answer in told if answer.values)
            reasons = Counter(answer.reason for answer in told if not answer.values)
            yield share(f"{name} filled", filled, len(told))
            if reasons:
                yield Line(f"  else: {', '.join(f'{why} {n}' for why, n in reasons.most_common())}")


def score(inputs: Inputs) -> Iterator[Case]:
    """One case a folder, then one over all."""
    with tempfile.TemporaryDirectory() as name:
        archive = inputs.rules or inputs.sister("sigma-rules") / "rules.tar.zst"
        texts = unpack_rules(archive, Path(name) / "rules")
        rules = load_rules(texts, bigsec.default_rules())
        whole = Tally()
        for file in shaped(inputs.events or inputs.data, "flat"):
            tally = Tally()
            for capture, records in captures(file).items():
                tally.per_capture[capture] = incidents_of(records, rules)
            whole.per_capture.update(tally.per_capture)
            yield Case(file.parent.name, tally.lines())
    if not whole.per_capture:
        raise Void(f"no flat.ndjson in the folders of {inputs.data}")
    yield Case("all", tuple(line for line in whole.lines() if line.figures))


def captures(file: Path) -> dict[str, list[bytes]]:
    """The records of each capture: a file of events, or what its ids begin with."""
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for line in lines(file):
        told = orjson.loads(line)
        own = told.get("_file") or told["_id"].rsplit("/", 1)[0]
        found[f"{file.parent.name}/{own}"].append(without(without(line, "_file"), "_id"))
    return dict(found)


def incidents_of(records: list[bytes], rules: bigsec.Rules) -> list[Incident]:
    """The incidents of medium and above in one capture."""
    store = memory_store()
    try:
        for chunk in bigsec.scan(records, rules, name="capture.ndjson"):
            record(store, chunk.signals.to_pylist(), chunk.events.to_pylist())
        return list(list_incidents(store, IncidentFilter(level=LEVEL), limit=1000).incidents)
    finally:
        store.close()


def share(what: str, got: int, of: int) -> Line:
    """A share, as text and as figures."""
    value = got / of if of else 0.0
    return Line(f"{what}: {got} of {of} = {value:.4f}", {"what": what, "got": got, "of": of})


def number(what: str, value: float) -> Line:
    """A number, as text and as figures."""
    return Line(f"{what}: {value:g}", {"what": what, "got": value})
