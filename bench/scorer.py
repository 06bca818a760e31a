"""Runs the scorer that lies beside the data, and reads its lines back into figures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from sets import Figure, Line, Void

_PRECISION = re.compile(
    r"^(?P<group>\S+(?: \S+)*?)\s+P (?P<precision>\S+) R (?P<recall>\S+) F1 (?P<f1>\S+) "
    r"\(tp (?P<true_positive>\d+) fp (?P<false_positive>\d+) fn (?P<false_negative>\d+)\)"
)
_SHARE = re.compile(r"^(?P<what>\D+?) (?P<got>\d+) of (?P<of>\d+)$")


def run(scorer: Path, mode: str, truth: Path, predicted: Path, *options: str) -> tuple[Line, ...]:
    """The scorer's lines for one pair of files."""
    if not scorer.is_file():
        raise Void(f"no scorer at {scorer}; give its place with --scorer")
    command = [sys.executable, str(scorer), mode, str(truth), str(predicted), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Void(f"the scorer failed:\n{done.stderr.strip()}")
    return tuple(line(text) for text in done.stdout.splitlines())


def line(text: str) -> Line:
    """A line of the scorer, with the figures that stand in it."""
    if found := _PRECISION.match(text):
        return Line(text, {name: _figure(value) for name, value in found.groupdict().items()})
    if found := _SHARE.match(text):
        return share(found["what"], int(found["got"]), int(found["of"]))
    return Line(text)


def share(what: str, got: int, of: int) -> Line:
    """`what 3 of 4`, as the scorer writes it too."""
    return Line(f"{what} {got} of {of}", {"what": what, "got": got, "of": of})


def write_matches(path: Path, matches: Mapping[str, Iterable[str]]) -> Path:
    """Write predictions: one row a rule, with the ids of the events that it matched."""
    with path.open("w", encoding="utf-8") as file:
        for rule_id, matched in sorted(matches.items()):
            file.write(json.dumps({"rule_id": rule_id, "matched": sorted(matched)}) + "\n")
    return path


def _figure(text: str) -> Figure:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
