"""`bigsec rules`: all faults of all files, and what the rules are."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Runner


def test_check_names_every_fault_with_its_place(bigsec: Runner, cases: Path) -> None:
    done = bigsec("rules", "check", cases / "bad_rules")
    faults = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 3
    places = {(Path(one["file"]).name, one["line"]): one for one in faults}
    modifier = places["unknown_modifier.yml", 8]
    assert modifier["code"] == "BS2104"
    assert modifier["column"] > 1
    assert "contains" in modifier["mend"]
    assert modifier["doc"] == "docs/reference/errors.md#bs2104"
    assert {Path(one["file"]).name for one in faults} == {
        "unknown_modifier.yml",
        "no_such_selection.yml",
        "not_yaml.yml",
        "bomb.yml",
    }
    assert "Files: 5 · rules loaded: 1 ·" in done.err


def test_check_of_good_rules_is_silent_on_stdout(bigsec: Runner, cases: Path) -> None:
    done = bigsec("rules", "check", cases / "rules")
    assert (done.code, done.out) == (0, "")
    assert "Files: 2 · rules loaded: 2 · errors: 0 · warnings: 0 · " in done.err


def test_the_bundled_rules_are_good(bigsec: Runner) -> None:
    done = bigsec("rules", "check")
    assert (done.code, done.out) == (0, "")


def test_check_on_a_terminal_shows_the_line_at_fault(bigsec: Runner, cases: Path) -> None:
    done = bigsec.on_terminal("rules", "check", cases / "bad_rules", "--color", "never")
    assert "8│     cs-uri-query|containz: passwd" in done.out
    assert "^^^^^^^^" in done.out


def test_a_path_that_is_missing_is_a_fault(bigsec: Runner, cases: Path) -> None:
    done = bigsec("rules", "check", cases / "rules", "gone")
    assert done.code == 3
    assert [json.loads(line)["code"] for line in done.out.splitlines()] == ["BS1101"]


def test_list_names_author_and_licence(bigsec: Runner, cases: Path) -> None:
    done = bigsec("rules", "list", cases / "rules")
    rules = [json.loads(line) for line in done.out.splitlines()]
    assert {(one["title"], one["level"], one["author"], one["license"]) for one in rules} == {
        ("Passwd File Asked For", "high", "Lin Example", "Apache-2.0"),
        ("Whoami Run", "low", "Lin Example", "Apache-2.0"),
    }
    table = bigsec.on_terminal("rules", "list", cases / "rules", "--color", "never")
    assert "Passwd File Asked For" in table.out
    assert "Lin Example, Apache-2.0" in table.out
