"""The third engine: rsigma, by the program that the benchmarks build."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from pathlib import Path


def matches(peer: Path, rules: Path, events: Path, into: Path) -> dict[str, set[str]]:
    """The `_id`s of the events that each rule matched, without any mapping of fields."""
    command = [str(peer), "default", str(rules), str(events), str(into)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    found: dict[str, set[str]] = defaultdict(set)
    for line in into.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        found[pair["rule"]].add(pair["event"])
    return found
