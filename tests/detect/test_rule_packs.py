"""Each rule of our packs finds the lines it is for, and leaves alone those that look like them.

A rule over one event is tried with each line by itself; one that counts, with all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
import yaml

import bigsec

# The platform's own rules are tried with its own records: test_platform_rules.py.
PACKS = sorted(
    path.parent.name
    for path in bigsec.default_rules().glob("*/pack.yaml")
    if path.parent.name != "platform"
)
CASES = Path(__file__).parent / "cases"
LEVELS = ("informational", "low", "medium", "high", "critical")


def _files(pack: str) -> list[Path]:
    return sorted((bigsec.default_rules() / pack).glob("*.yml"))


NAMES = [(pack, path.stem) for pack in PACKS for path in _files(pack)]


@cache
def _documents(pack: str, name: str) -> list[dict[str, object]]:
    text = (bigsec.default_rules() / pack / f"{name}.yml").read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text))


def _counts(pack: str, name: str) -> bool:
    return "correlation" in _documents(pack, name)[-1]


def _lines(pack: str, name: str, kind: str) -> list[bytes]:
    path = CASES / pack / name / f"{kind}.log"
    return path.read_bytes().splitlines() if path.is_file() else []


def _cases(kind: str) -> Iterator[object]:
    """(pack, rule, raw lines): each line by itself, or all of them for a rule that counts."""
    for pack, name in NAMES:
        lines = _lines(pack, name, kind)
        if _counts(pack, name):
            yield pytest.param(pack, name, lines, id=f"{pack}:{name}")
            continue
        for number, line in enumerate(lines, 1):
            yield pytest.param(pack, name, [line], id=f"{pack}:{name}:{number}")


@cache
def _all_rules(pack: str) -> bigsec.Rules:
    return bigsec.Rules.load(bigsec.default_rules() / pack)


def _found(pack: str, lines: Sequence[bytes]) -> set[str]:
    """The ids of the rules that find something in these lines."""
    scanned = Counter(
        signal["rule_id"]
        for chunk in bigsec.scan(lines, _all_rules(pack), name="events.log")
        for signal in chunk.signals.to_pylist()
    )
    if len(lines) == 1:
        # In one pass, and batch by batch: correlations are for the stream alone.
        assert scanned == Counter(
            signal["rule_id"]
            for batch in bigsec.read(lines, name="events.log", keep_raw=True)
            for signal in _all_rules(pack).match(batch).to_pylist()
        )
    return set(scanned)


def _id(pack: str, name: str) -> object:
    return _documents(pack, name)[-1]["id"]


@pytest.mark.parametrize(("pack", "name", "lines"), list(_cases("match")))
def test_the_rule_finds_the_lines(pack: str, name: str, lines: list[bytes]) -> None:
    assert _id(pack, name) in _found(pack, lines)


@pytest.mark.parametrize(("pack", "name", "lines"), list(_cases("near_miss")))
def test_the_rule_leaves_the_lines_alone(pack: str, name: str, lines: list[bytes]) -> None:
    assert _id(pack, name) not in _found(pack, lines)


@pytest.mark.parametrize(("pack", "name"), NAMES)
def test_every_line_is_read_by_a_parser(pack: str, name: str) -> None:
    """A near miss that nothing could read would prove nothing."""
    for kind in ("match", "near_miss"):
        lines = _lines(pack, name, kind)
        assert lines
        reader = bigsec.read(lines, name="events.log")
        parsers = Counter(event["parser"] for batch in reader for event in batch.to_pylist())
        assert parsers.total() == len(lines)
        assert not parsers["none"]


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_loads_and_every_case_has_a_rule(pack: str) -> None:
    rules = _all_rules(pack)
    names = [path.stem for path in _files(pack)]
    assert not rules.problems
    assert sorted({Path(rule.path).stem for rule in rules.rules}) == names
    assert sorted(path.name for path in (CASES / pack).iterdir() if path.is_dir()) == names


def test_no_two_rules_share_an_id() -> None:
    ids = [document["id"] for pack, name in NAMES for document in _documents(pack, name)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("pack", "name"), NAMES)
def test_a_rule_says_what_a_reader_needs(pack: str, name: str) -> None:
    rule = _documents(pack, name)[-1]
    assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", str(rule["id"]))
    assert rule["level"] in LEVELS
    assert rule["license"] == "Apache-2.0"
    assert all(rule[key] for key in ("title", "description", "references", "author", "tags"))
    assert rule["falsepositives"]
    tags = rule["tags"]
    assert isinstance(tags, list)
    assert any(re.fullmatch(r"attack\.(t\d{4}(\.\d{3})?|[a-z-]+)", tag) for tag in tags)


@pytest.mark.parametrize("pack", PACKS)
def test_the_pack_names_its_licence(pack: str) -> None:
    told = yaml.safe_load((bigsec.default_rules() / pack / "pack.yaml").read_text(encoding="utf-8"))
    assert {"title", "about", "author"} < set(told)
    assert told["licence"] == "Apache-2.0"
