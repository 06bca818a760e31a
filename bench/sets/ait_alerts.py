"""Alerts of Wazuh, Suricata and AMiner over days of normal life with an attack in them.

Every scenario is perceived from its first alert on, with the same settings and without its labels;
an alert belongs to the incident that `Perceiver.take` gives, and an incident is raised when its
score says so. The scorer tells how many are raised, how many of those hold an attack, which phases
are found, by how much of their cells, and how late.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import scorer
from bigsec.detect.perceive import Alert, Fault, Perceiver, Sensors, read_alerts, read_labels
from sets import Case, Inputs, Void


def score(inputs: Inputs) -> Iterator[Case]:
    """One case a scenario."""
    scenarios = sorted(inputs.data.glob("*.csv.zst"))
    if not scenarios:
        raise Void(f"no scenario (*.csv.zst) in {inputs.data}")
    for path in scenarios:
        with tempfile.TemporaryDirectory(prefix="bigsec-score-") as folder:
            predicted = predict(path, Path(folder) / "incidents.jsonl")
            lines = scorer.run(inputs.scorer, "incidents", path, predicted)
        yield Case(path.name.removesuffix(".csv.zst"), lines)


def alerts(path: Path) -> list[Alert]:
    """The alerts of a scenario in the order of its rows; their ids are the rows' numbers."""
    found = []
    for number, one in enumerate(read_alerts(path, Sensors())):
        if isinstance(one, Fault):
            raise Void(f"{path.name}, line {one.line}: {one.what}")
        found.append(one._replace(alert_id=f"{number:09}"))
    return found


def labelled(path: Path) -> set[int]:
    """The rows that are of the attack, as the set says. Never shown to the perceiver."""
    told = enumerate(read_labels(path, "event_label").values())
    return {number for number, label in told if label not in ("-", "")}


def predict(path: Path, into: Path) -> Path:
    """Write the incidents of a scenario, one a line."""
    perceiver = Perceiver()
    rows: defaultdict[int, list[int]] = defaultdict(list)
    for alert in sorted(alerts(path)):
        incident = perceiver.take(alert)
        if incident is not None:
            rows[incident.number].append(int(alert.alert_id))
    if not rows:
        raise Void(f"no incident in {path.name}")
    with into.open("w", encoding="utf-8") as file:
        for number, members in rows.items():
            incident = perceiver.incidents[number]
            raised = incident.raised_s is not None
            when = incident.raised_s if raised else incident.last_s
            told = {"incident": number, "rows": members, "raised": raised, "t_raised": when}
            file.write(json.dumps(told) + "\n")
    return into
