"""Windows events of attacks against every Windows rule of SigmaHQ, judged pair by pair.

The oracle is described in the set's README, with its deviations. Rules that it could not run are
left out by the scorer itself. Matches that only come about by mapping Security 4688 and 4657 to
Sysmon's fields are left out in the cases `noaudit`. Our own table maps more than the oracle's does
(windows_deviations.yaml): the cases `as-oracle` tell what is left without that, all others are of
the table as it is shipped.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import bigsec
import scorer
from corpus import named, rows, unpack_rules
from matches import find, load_rules, shaped
from sets import Case, Inputs, Void

TABLES = Path(bigsec.__file__).parent / "packs" / "tables"
DEVIATIONS = Path(__file__).with_name("windows_deviations.yaml")


def score(inputs: Inputs) -> Iterator[Case]:
    """Over the flat events, then over the raw ones."""
    events = inputs.events or inputs.data
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = inputs.rules or inputs.sister("sigma-rules") / "rules.tar.zst"
        texts = unpack_rules(archive, folder / "rules")
        shipped = load_rules(texts)
        as_oracle = load_rules(texts, tables=_tables_of_the_oracle(folder / "tables"))
        windows = {rule.id for rule in shipped.rules if rule.logsource.get("product") == "windows"}
        for shape in ("flat", "raw"):
            files = list(shaped(events, shape))
            truth = _oracle_of(inputs.data, {_prefix(file) for file in files}, folder / shape)
            for rules, cases in (
                (shipped, {shape: (), f"{shape} noaudit": ("noaudit",)}),
                (as_oracle, {f"{shape} as-oracle": ()}),
            ):
                found = find(files, rules, windows)
                predicted = scorer.write_matches(folder / f"{shape}.jsonl", found.by_rule)
                for case, options in cases.items():
                    judged = scorer.run(inputs.scorer, "pairs", truth, predicted, *options)
                    yield Case(case, (found.line(), *judged))


def _tables_of_the_oracle(into: Path) -> Path:
    """Our tables without the fields that the oracle does not map."""
    shutil.copytree(TABLES, into)
    path = into / "logsources.yaml"
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    for known in yaml.safe_load(DEVIATIONS.read_text(encoding="utf-8"))["fields"]:
        dropped = [
            event["fields"].pop(known["field"])
            for entry in table["log_sources"]
            if entry.get("category") == known["category"]
            for event in _alternatives(entry["events"])
            if event.get("where", {}).get("EventID") == known["event_id"]
            and known["field"] in event.get("fields", {})
        ]
        if not dropped:
            raise Void(f"{DEVIATIONS.name} names {known['field']}, which our table does not map")
    path.write_text(yaml.safe_dump(table, sort_keys=False), encoding="utf-8")
    return into


def _alternatives(events: list[Any]) -> Iterator[dict[str, Any]]:
    """Each once, however lists of them are joined and shared."""
    for one in events:
        if isinstance(one, list):
            yield from _alternatives(one)
        else:
            yield one


def _oracle_of(data: Path, prefixes: set[str], into: Path) -> Path:
    """The oracle's rows for the events of these files, with the facts the scorer reads beside it.

    A folder without raw events (otrf) would otherwise count as missed there.
    """
    into.mkdir()
    shutil.copyfile(data / "oracle.stats.json", into / "oracle.stats.json")
    kept = into / "oracle.jsonl"
    with kept.open("w", encoding="utf-8") as file:
        for row in rows(named(data, "oracle.jsonl")):
            for key in ("matched", "matched_by_audit_mapping"):
                row[key] = [one for one in row[key] if one.split("/", 1)[0] in prefixes]
            if row["matched"]:
                file.write(json.dumps(row) + "\n")
    return kept


def _prefix(file: Path) -> str:
    """What stands before the slash in the ids of a file: each folder has its own word."""
    first: str = next(rows(file))["_id"]
    return first.split("/", 1)[0]
