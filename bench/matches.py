"""What a rule set finds in events whose ids are known: the predictions of the Sigma sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bigsec
from corpus import lines, named, without
from sets import Line, Void

# A score speaks of every rule that can be read, whatever its authors think of its state.
STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")


@dataclass
class Matches:
    """The event ids that each rule matched, and how much was read for it."""

    by_rule: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    received: int = 0
    parsed: int = 0

    def line(self) -> Line:
        """What was read, as the first line of a result."""
        pairs = sum(len(matched) for matched in self.by_rule.values())
        text = f"events parsed {self.parsed} of {self.received}, pairs {pairs}"
        return Line(text, {"what": "events parsed", "got": self.parsed, "of": self.received})


def load_rules(*paths: Path, tables: Path | None = None) -> bigsec.Rules:
    """All rules of the files and folders, of whatever status; tables: None takes the shipped."""
    return bigsec.Rules.load(*paths, statuses=STATUSES, tables=tables)


def find(files: Iterable[Path], rules: bigsec.Rules, only: set[str]) -> Matches:
    """Scan files of records that carry their id as `_id`; keep the rules named in `only`."""
    found = Matches()
    for file in files:
        _scan(file, rules, only, found)
    if not found.parsed or not found.by_rule:
        raise Void(f"{found.parsed} of {found.received} records were parsed, and no rule matched")
    return found


def _scan(file: Path, rules: bigsec.Rules, only: set[str], found: Matches) -> None:
    records = (without(line, "_file") for line in lines(file))
    scanner = bigsec.scan(records, rules, name=file.name)
    for chunk in scanner:
        own_ids = dict(_own_ids(chunk.events))
        for signal in chunk.signals.to_pylist():
            if signal["rule_id"] in only:
                matched = (own_ids[event_id] for event_id in signal["event_ids"])
                found.by_rule[signal["rule_id"]].update(matched)
    for ledger in scanner.ledgers:
        found.received += ledger.received
        found.parsed += ledger.parsed


def _own_ids(events: bigsec.Batch) -> Iterator[tuple[str, str]]:
    """The data's `_id` of each event, which no column takes."""
    for event in events.to_pylist():
        values = [one["value"] for one in event.get("unmapped", ()) if one["name"] == "_id"]
        if not values:
            raise Void(f"the event {event['event_id']} came back without the `_id` of its record")
        yield event["event_id"], values[0]


def shaped(folder: Path, shape: str) -> Iterator[Path]:
    """The event files of one shape (`flat` or `raw`) in the subfolders that have it."""
    for sub in sorted(path for path in folder.iterdir() if path.is_dir()):
        try:
            yield named(sub, f"{shape}.ndjson")
        except FileNotFoundError:
            continue
