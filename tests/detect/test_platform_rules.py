"""Each platform rule finds the state changes it is for, and every kind of alarm has its rule."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

import bigsec
from bigsec.collect.own_log import OwnLog
from bigsec.collect.watch.voice import Voice
from bigsec.detect import list_incidents, record
from bigsec.store import Store

PACK = bigsec.default_rules() / "platform"
CASES = Path(__file__).parent / "cases" / "platform"
WATCH = Path(bigsec.__file__).parent / "collect"
NAMES = sorted(path.stem for path in PACK.glob("*.yml"))


def _cases(kind: str) -> Iterator[object]:
    for name in NAMES:
        lines = (CASES / name / f"{kind}.log").read_bytes().splitlines()
        for number, line in enumerate(lines, 1):
            yield pytest.param(name, line, id=f"{name}:{number}")


@cache
def _rules() -> bigsec.Rules:
    return bigsec.Rules.load(PACK)


@cache
def _all_rules() -> bigsec.Rules:
    return bigsec.Rules.load()


def _found(line: bytes) -> set[str]:
    """Names of the rules that find a line among all that come with bigsec."""
    paths = {rule.id: Path(rule.path).stem for rule in _rules().rules}
    found = {
        signal["rule_id"]
        for chunk in bigsec.scan([line], _all_rules(), name="bigsec.watch")
        for signal in chunk.signals.to_pylist()
    }
    return {paths[one] for one in found}


@pytest.mark.parametrize(("name", "line"), list(_cases("match")))
def test_the_rule_and_no_other_finds_the_line(name: str, line: bytes) -> None:
    assert _found(line) == {name}


@pytest.mark.parametrize(("name", "line"), list(_cases("near_miss")))
def test_the_rule_leaves_the_line_alone(name: str, line: bytes) -> None:
    assert name not in _found(line)


def _spoken(*said: tuple[str, str]) -> list[bytes]:
    """What the watch puts into the log when it says these kinds of these subjects."""
    core, told = _Log(), OwnLog(io.StringIO())
    voice = Voice(core, "relay-1", told)
    for kind, subject in said:
        voice.say(kind, "raised", subject, "something ails")
    voice.end(10)
    return core.records


class _Log:
    def __init__(self) -> None:
        self.records: list[bytes] = []

    def append(self, source: str, records: list[bytes]) -> int:
        self.records += records
        return len(self.records)


def test_alarms_of_one_subject_are_one_incident_and_no_others(store: Store) -> None:
    """A silent source is another matter than a full disk, though one relay tells of both."""
    lines = _spoken(
        ("source_silent", "unit-a"),
        ("source_silent", "unit-b"),
        ("clock_skew", "unit-a"),
        ("disk_full", "relay-1"),
        ("sink_failing", "lake"),
    )
    for chunk in bigsec.scan(lines, _all_rules(), name="bigsec.watch"):
        record(store, chunk.signals.to_pylist(), chunk.events.to_pylist())
    found = list_incidents(store).incidents
    assert sorted((one.target.values, one.signal_count) for one in found) == [
        (("lake",), 1),
        (("relay-1",), 1),
        (("unit-a",), 2),
        (("unit-b",), 1),
    ]


def test_every_kind_that_the_watch_raises_has_its_rule_and_its_cases() -> None:
    code = "\n".join(path.read_text() for path in WATCH.rglob("*.py"))
    raised = set(re.findall(r'(?:raise_once|say)\(\s*"(\w+)"', code))
    raised |= set(re.findall(r'(?:Finding\(|key = |_over\(\(|key, limit_h = )\(?"(\w+)"', code))
    raised -= {"started"}
    assert raised == set(NAMES)
    assert sorted(path.name for path in CASES.iterdir() if path.is_dir()) == NAMES


def test_every_rule_loads_and_says_what_a_reader_needs() -> None:
    assert not _rules().problems
    assert len({rule.id for rule in _rules().rules}) == len(NAMES)
    for name in NAMES:
        rule = yaml.safe_load((PACK / f"{name}.yml").read_text(encoding="utf-8"))
        assert rule["license"] == "Apache-2.0"
        assert all(rule[key] for key in ("title", "description", "author", "falsepositives"))
