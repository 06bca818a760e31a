"""Windows events of attacks against every Windows rule of SigmaHQ, judged pair by pair.

The oracle is described in the set's README, with its deviations; two are dealt with here. Rules
that the oracle could not run are left out by the scorer itself. Matches that only come about by
mapping Security 4688 and 4657 to Sysmon's fields are left out in the cases `noaudit`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import scorer
from corpus import named, rows, unpack_rules
from matches import find, load_rules, shaped
from sets import Case, Inputs


def score(inputs: Inputs) -> Iterator[Case]:
    """Over the flat events, then over the raw ones; each with and without the audit mapping."""
    events = inputs.events or inputs.data
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = inputs.rules or inputs.sister("sigma-rules") / "rules.tar.zst"
        rules = load_rules(unpack_rules(archive, folder / "rules"))
        windows = {rule.id for rule in rules.rules if rule.logsource.get("product") == "windows"}
        for shape in ("flat", "raw"):
            files = list(shaped(events, shape))
            found = find(files, rules, windows)
            predicted = scorer.write_matches(folder / f"{shape}.jsonl", found.by_rule)
            truth = _oracle_of(inputs.data, {_prefix(file) for file in files}, folder / shape)
            for case, options in ((shape, ()), (f"{shape} noaudit", ("noaudit",))):
                judged = scorer.run(inputs.scorer, "pairs", truth, predicted, *options)
                yield Case(case, (found.line(), *judged))


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
