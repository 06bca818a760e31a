"""Each starter rule finds the lines it is for, and leaves alone those that only look like them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml

import bigsec

PACK = bigsec.default_rules() / "starter"
CASES = Path(__file__).parent / "cases" / "starter"
NAMES = sorted(path.stem for path in PACK.glob("*.yml"))
LEVELS = ("informational", "low", "medium", "high", "critical")


def _cases(kind: str) -> Iterator[object]:
    """One case a line: (rule, raw line)."""
    for name in NAMES:
        path = CASES / name / f"{kind}.log"
        lines = path.read_bytes().splitlines() if path.is_file() else []
        for number, line in enumerate(lines, 1):
            yield pytest.param(name, line, id=f"{name}:{number}")


@cache
def _all_rules() -> bigsec.Rules:
    return bigsec.Rules.load(PACK)


@cache
def _id(name: str) -> str:
    (found,) = [rule.id for rule in _all_rules().rules if Path(rule.path).stem == name]
    return found


def _found(line: bytes) -> set[str]:
    """The rules that find a line, by both ways: in one pass, and batch by batch."""
    name = "events.log"
    scanned = Counter(
        signal["rule_id"]
        for chunk in bigsec.scan([line], _all_rules(), name=name)
        for signal in chunk.signals.to_pylist()
    )
    matched = Counter(
        signal["rule_id"]
        for batch in bigsec.read([line], name=name, keep_raw=True)
        for signal in _all_rules().match(batch).to_pylist()
    )
    assert scanned == matched
    return set(scanned)


@pytest.mark.parametrize(("name", "line"), list(_cases("match")))
def test_the_rule_finds_the_line(name: str, line: bytes) -> None:
    assert _id(name) in _found(line)


@pytest.mark.parametrize(("name", "line"), list(_cases("near_miss")))
def test_the_rule_leaves_the_line_alone(name: str, line: bytes) -> None:
    assert _id(name) not in _found(line)


@pytest.mark.parametrize("name", NAMES)
def test_every_line_is_read_by_a_parser(name: str) -> None:
    """A near miss that nothing could read would prove nothing."""
    for kind in ("match", "near_miss"):
        lines = (CASES / name / f"{kind}.log").read_bytes().splitlines()
        assert lines
        reader = bigsec.read(lines, name="events.log")
        parsers = Counter(event["parser"] for batch in reader for event in batch.to_pylist())
        assert parsers.total() == len(lines)
        assert not parsers["none"]


def test_every_rule_loads_and_every_case_has_a_rule() -> None:
    rules = _all_rules()
    assert not rules.problems
    assert sorted(Path(rule.path).stem for rule in rules.rules) == NAMES
    assert sorted(path.name for path in CASES.iterdir() if path.is_dir()) == NAMES
    assert len({rule.id for rule in rules.rules}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_says_what_a_reader_needs(name: str) -> None:
    rule = yaml.safe_load((PACK / f"{name}.yml").read_text(encoding="utf-8"))
    assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", rule["id"])
    assert rule["level"] in LEVELS
    assert rule["license"] == "Apache-2.0"
    assert all(rule[key] for key in ("title", "description", "references", "author", "tags"))
    assert rule["falsepositives"]
    assert any(re.fullmatch(r"attack\.(t\d{4}(\.\d{3})?|[a-z-]+)", tag) for tag in rule["tags"])


def test_the_pack_names_its_licence() -> None:
    pack = yaml.safe_load((PACK / "pack.yaml").read_text(encoding="utf-8"))
    assert {"title", "about", "author"} < set(pack)
    assert pack["licence"] == "Apache-2.0"
