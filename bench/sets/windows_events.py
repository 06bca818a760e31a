"""Windows events of attacks against every Windows rule of SigmaHQ, judged pair by pair.

The oracle is described in the set's README, with its deviations. Rules that it could not run are
left out by the scorer itself. Matches that only come about by mapping Security 4688 and 4657 to
Sysmon's fields are left out in the cases `noaudit`. Some records have a shape that the oracle
cannot read and our parser can (windows_deviations.yaml): what is found in them is counted, and not
judged.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import scorer
from corpus import named, rows, unpack_rules
from matches import Matches, find, load_rules, shaped
from sets import Case, Inputs, Line

DEVIATIONS = Path(__file__).with_name("windows_deviations.yaml")


def score(inputs: Inputs) -> Iterator[Case]:
    """Over the flat events, then over the raw ones."""
    events = inputs.events or inputs.data
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = inputs.rules or inputs.sister("sigma-rules") / "rules.tar.zst"
        texts = unpack_rules(archive, folder / "rules")
        rules = load_rules(texts)
        windows = {rule.id for rule in rules.rules if rule.logsource.get("product") == "windows"}
        unread = {
            record["_id"]
            for file in shaped(events, "flat")
            for record in rows(file)
            if is_unread(record)
        }
        for shape in ("flat", "raw"):
            files = list(shaped(events, shape))
            truth = _oracle_of(inputs.data, {_prefix(file) for file in files}, folder / shape)
            found = find(files, rules, windows)
            left_out = _leave_out(found, unread if shape == "flat" else set())
            predicted = scorer.write_matches(folder / f"{shape}.jsonl", found.by_rule)
            for case, options in {shape: (), f"{shape} noaudit": ("noaudit",)}.items():
                judged = scorer.run(inputs.scorer, "pairs", truth, predicted, *options)
                yield Case(case, (found.line(), left_out, *judged))


def is_unread(record: Mapping[str, Any]) -> bool:
    """Whether a flat record has a shape that the oracle cannot read."""
    return any(not record.keys() & set(one) for one in _lacking())


@cache
def _lacking() -> list[list[str]]:
    told = yaml.safe_load(DEVIATIONS.read_text(encoding="utf-8"))["records"]
    return [one["without"] for one in told]


def _leave_out(found: Matches, unread: set[str]) -> Line:
    """Take out what was found in records that the oracle cannot read, and tell how much."""
    count = sum(len(matched & unread) for matched in found.by_rule.values())
    for matched in found.by_rule.values():
        matched -= unread
    text = f"pairs in {len(unread)} records that the oracle cannot read, not judged: {count}"
    return Line(text, {"what": "not judged", "got": count})


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
