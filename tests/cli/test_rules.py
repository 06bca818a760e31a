"""`bigsec rules`: all faults of all files, and what the rules are."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

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


def test_rules_without_a_status_are_checked_too(bigsec: Runner, tmp_path: Path) -> None:
    rule = tmp_path / "rule.yml"
    rule.write_text(
        "title: t\nlogsource: {product: linux}\ndetection: {s: {a|gt: b}, condition: s}\n"
    )
    done = bigsec("rules", "check", rule)
    codes = {json.loads(line)["code"] for line in done.out.splitlines()}
    assert (done.code, codes) == (3, {"BS2105", "BS2112"})


def test_25_defects_give_25_lines_in_one_run(bigsec: Runner, tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}.yml").write_text(
            f"title: t{number}\nlogsource: {{product: x}}\n"
            f"detection: {{s: {{a|modifier{number}: b}}, condition: s}}\n"
        )
    (tmp_path / "good.yml").write_text(
        "title: good\nlogsource: {product: linux}\ndetection: {s: {a: b}, condition: s}\n"
    )
    done = bigsec("rules", "check", tmp_path)
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, len(lines), len({one["file"] for one in lines})) == (3, 25, 25)
    assert {one["code"] for one in lines} >= {"BS2104"}
    assert all(one["mend"] and one["line"] and one["column"] for one in lines)


def test_a_report_for_code_scanning_places_each_fault(bigsec: Runner, cases: Path) -> None:
    """SARIF 2.1.0: each result has its rule, its level, its file and its region."""
    faults = [
        json.loads(line) for line in bigsec("rules", "check", cases / "bad_rules").out.splitlines()
    ]
    done = bigsec("rules", "check", cases / "bad_rules", "--report", "sarif")
    assert done.code == 3
    log = json.loads(done.out)
    (run,) = log["runs"]
    kinds = run["tool"]["driver"]["rules"]
    assert (log["version"], len(run["results"])) == ("2.1.0", len(faults))
    assert "unknown modifier" in {kind["shortDescription"]["text"] for kind in kinds}
    for result in run["results"]:
        assert kinds[result["ruleIndex"]]["id"] == result["ruleId"]
        (place,) = result["locations"]
        physical = place["physicalLocation"]
        assert physical["artifactLocation"]["uri"].endswith(".yml")
        assert physical["region"]["startLine"] >= 1
        assert physical["region"]["startColumn"] >= 1
    assert {result["level"] for result in run["results"]} == {"error"}


def test_a_report_for_a_workflow_is_one_command_a_line(bigsec: Runner, tmp_path: Path) -> None:
    rule = tmp_path / "a,b.yml"
    rule.write_text(
        "title: t\nlogsource: {product: linux}\ndetection: {s: {a|gt: '5%\n'}, condition: s}\n"
    )
    done = bigsec("rules", "check", rule, "--report", "github")
    first = done.out.splitlines()[-1]
    assert first.startswith("::error file=")
    assert "a%2Cb.yml,line=3,col=" in first
    assert "5%" not in first.replace("5%25", "")


def test_a_report_of_tests_fails_where_a_file_does(bigsec: Runner, cases: Path) -> None:
    done = bigsec("rules", "check", cases / "bad_rules", "--report", "junit")
    suite = ElementTree.fromstring(done.out)  # noqa: S314  # our own
    failed = {one.get("name", "") for one in suite if one.find("failure") is not None}
    assert {Path(name).name for name in failed} >= {"unknown_modifier.yml", "not_yaml.yml"}
    assert int(suite.get("failures", "0")) == len(failed)
    done = bigsec("rules", "check", cases / "rules", "--report", "junit")
    sound = ElementTree.fromstring(done.out)  # noqa: S314  # our own
    assert (sound.get("failures"), len(sound)) == ("0", 1)


EXPLAINED = """title: Failed logon
status: stable
logsource: {product: linux, service: sshd}
detection:
  s: {message|startswith: Failed}
  f: {src_ip|cidr: 192.0.2.0/25}
  condition: s and not f
"""


def test_explain_answers_every_question_of_a_rule(bigsec: Runner, tmp_path: Path) -> None:
    rule, log = tmp_path / "rule.yml", tmp_path / "auth.log"
    rule.write_text(EXPLAINED)
    log.write_text(
        "".join(
            f"<38>Nov 25 03:04:05 h sshd[1]: Failed password for root from {one} port 4000 ssh2\n"
            for one in ("192.0.2.7", "192.0.2.200")
        )
    )
    done = bigsec("rules", "explain", "failed logon", log, "--rules", rule, "--limit", "5")
    first, second = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, first["holds"], second["holds"]) == (0, False, True)
    source, detection = first["parts"]
    assert source == {
        "question": "log source product: linux, service: sshd",
        "holds": True,
        "line": 0,
        "found": ["parser linux_auth"],
        "parts": [],
    }
    selected, refused = detection["parts"]
    assert (selected["holds"], refused["holds"], refused["question"]) == (True, False, "not")
    (asked,) = refused["parts"][0]["parts"][0]["parts"]
    assert (asked["question"], asked["found"]) == ("src_ip|cidr: 192.0.2.0/25", ["192.0.2.7"])
    assert (asked["line"], asked["holds"]) == (6, True)
    again = bigsec(
        "rules", "explain", "Failed logon", log, "-r", rule, "--event", second["event_id"]
    )
    assert json.loads(again.out) == second
    shown = bigsec("rules", "explain", "Failed logon", log, "-r", rule, "-f", "table").out
    assert "✗ Failed logon" in shown
    assert "✓ src_ip|cidr: 192.0.2.0/25  192.0.2.7" in shown


def test_explain_says_what_is_not_there(bigsec: Runner, cases: Path, tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(EXPLAINED)
    (tmp_path / "x.log").write_text("x\n")
    unknown = bigsec("rules", "explain", "nothing", tmp_path / "x.log", "-r", tmp_path / "rule.yml")
    assert (unknown.code, "BS3106" in unknown.err) == (3, True)
    other = bigsec(
        "rules",
        "explain",
        "Failed logon",
        tmp_path / "x.log",
        "-r",
        tmp_path / "rule.yml",
        "--event",
        "0" * 32,
    )
    assert (other.code, "has no such event" in other.err) == (3, True)


TAGGED = """title: {title}
level: {level}
logsource: {{product: linux}}
tags: [{tags}]
detection: {{s: {{a: b}}, condition: s}}
---
"""


def test_coverage_counts_the_rules_of_each_technique(bigsec: Runner, tmp_path: Path) -> None:
    rules = [
        ("one", "high", "attack.t1059.001, attack.execution"),
        ("two", "low", "attack.T1059.001, attack.defense_evasion"),
        ("three", "low", "attack.t1110"),
        ("four", "low", "car.2013-05-002"),
    ]
    texts = [TAGGED.format(title=title, level=level, tags=tags) for title, level, tags in rules]
    (tmp_path / "rules.yml").write_text("".join(texts))
    done = bigsec("rules", "coverage", tmp_path / "rules.yml")
    first, second = [json.loads(line) for line in done.out.splitlines()]
    assert first == {
        "technique": "T1059.001",
        "rules": 2,
        "tactics": ["defense-evasion", "execution"],
        "levels": {"low": 1, "high": 1},
        "titles": ["one", "two"],
        "fed": None,
        "lacking": None,
    }
    assert (second["technique"], second["rules"]) == ("T1110", 1)
    assert "Techniques: 2 · rules that name one: 3 · others: 1" in done.err
    layer = json.loads(bigsec("rules", "coverage", tmp_path / "rules.yml", "--layer").out)
    scores = {one["techniqueID"]: one["score"] for one in layer["techniques"]}
    assert scores == {"T1059": 0, "T1059.001": 2, "T1110": 1}
    assert (layer["domain"], layer["versions"]["layer"]) == ("enterprise-attack", "4.5")
    table = bigsec("rules", "coverage", tmp_path / "rules.yml", "-f", "table").out
    assert "T1059.001" in table


def test_rules_are_tested_with_the_cases_beside_them(bigsec: Runner) -> None:
    rule = "title: T\nlogsource: {product: x}\ndetection: {s: {user: root}, condition: s}\n"
    folder = bigsec.folder / "rules"
    (folder / "one").mkdir(parents=True)
    (folder / "one.yml").write_text(rule)
    (folder / "two.yml").write_text(rule)
    (folder / "one" / "match.log").write_text('{"user":"root"}\n{"user":"eve"}\n')
    (folder / "one" / "near_miss.json").write_text('{"user":"roots"}\n')
    done = bigsec("rules", "test", "rules")
    match, near_miss = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1
    assert match["wrong"] == [{"record": 2, "text": '{"user":"eve"}'}]
    assert (near_miss["records"], near_miss["wrong"]) == (1, [])
    assert "1 rule files with 3 records: 1 went wrong; 1 rule files have no cases" in done.err
    shown = bigsec.on_terminal("rules", "test", "rules", "--color", "never")
    assert "T: does not match, and should" in shown.out
    assert "match.log:2" in shown.out
    (folder / "one" / "match.log").write_text('{"user":"root"}\n')
    assert bigsec("rules", "test", "rules").code == 0
    (folder / "one" / "near_miss.json").write_text('{"user":"root"}\n')
    shown = bigsec.on_terminal("rules", "test", "rules", "--color", "never")
    assert shown.code == 1
    assert "T: matches, and should not" in shown.out


def test_a_correlation_is_tested_by_the_whole_file(bigsec: Runner) -> None:
    folder = bigsec.folder / "cases" / "many"
    folder.mkdir(parents=True)
    (bigsec.folder / "many.yml").write_text(
        "title: B\nname: b\nlogsource: {product: x}\ndetection: {s: {u: a}, condition: s}\n---\n"
        "title: C\ncorrelation: {type: event_count, rules: [b], timespan: 1h,"
        " condition: {gte: 3}}\n"
    )
    (folder / "match.log").write_text('{"u":"a"}\n' * 3)
    (folder / "near_miss.log").write_text('{"u":"a"}\n' * 2)
    assert bigsec("rules", "test", "many.yml", "--cases", "cases").code == 0
    (folder / "near_miss.log").write_text('{"u":"a"}\n' * 3)
    done = bigsec("rules", "test", "many.yml", "--cases", "cases")
    assert done.code == 1
    assert "3 went wrong" in done.err


def test_a_test_of_nothing_or_of_a_bad_rule_is_none(bigsec: Runner) -> None:
    done = bigsec("rules", "test")
    assert done.code == 3
    assert "0 rule files with 0 records" in done.err
    (bigsec.folder / "bad" / "x").mkdir(parents=True)
    (bigsec.folder / "bad" / "x.yml").write_text("title: T\n")
    (bigsec.folder / "bad" / "x" / "match.log").write_text("{}\n")
    done = bigsec("rules", "test", "bad")
    assert done.code == 3
    assert "BS2103" in done.err, done.err


NOISY = "title: N\nlevel: high\nlogsource: {product: x}\ndetection: {s: {u: a}, condition: s}\n"
SILENT = "title: S\nlogsource: {product: x}\ndetection: {s: {u: nobody}, condition: s}\n"


def _past(bigsec: Runner) -> None:
    (bigsec.folder / "r").mkdir()
    (bigsec.folder / "r" / "n.yml").write_text(NOISY)
    (bigsec.folder / "r" / "s.yml").write_text(SILENT)
    days = ("2026-11-20T23:30:00Z", "2026-11-21T01:00:00Z", "2026-11-21T02:00:00Z")
    lines = [f'{{"time":"{time}","u":"a","src_ip":"192.0.2.7"}}' for time in days]
    (bigsec.folder / "a.log").write_text("\n".join([*lines, '{"u":"b"}']) + "\n")


def test_a_backtest_tells_how_often_rules_would_have_fired(bigsec: Runner) -> None:
    _past(bigsec)
    done = bigsec("rules", "backtest", "r", "--over", "a.log")
    (past,) = [json.loads(line) for line in done.out.splitlines()]
    assert (past["title"], past["signals"], past["busiest_day"]) == ("N", 3, 2)
    assert past["first"].startswith("2026-11-20T23:30")
    assert past["entities"] == [{"type": "ip", "value": "192.0.2.7", "signals": 3}]
    assert "3 signals by 1 rules; 1 rules would have been silent" in done.err
    # A day begins where the reader lives.
    done = bigsec("rules", "backtest", "r", "--over", "a.log", "--tz", "+08:00")
    assert json.loads(done.out)["busiest_day"] == 3
    shown = bigsec.on_terminal("rules", "backtest", "r", "--over", "a.log", "--color", "never")
    assert "100% ip 192.0.2.7" in shown.out


def test_a_backtest_fails_where_a_rule_floods_and_takes_a_span(bigsec: Runner) -> None:
    _past(bigsec)
    over = ("rules", "backtest", "r", "--over", "a.log")
    assert bigsec(*over, "--max-per-day", "1").code == 1
    assert bigsec(*over, "--max-per-day", "2").code == 0
    assert json.loads(bigsec(*over, "--since", "2026-11-21").out)["signals"] == 2
    assert bigsec("rules", "backtest", "r").code == 2
    gone = bigsec("rules", "backtest", "r", "--over", "a.log", "--over", "gone.log")
    assert gone.code == 3
    assert "gone.log" in gone.err
    assert gone.out
    assert bigsec(*over, "--log", "out").code == 2


def test_a_backtest_over_an_evidence_log_finds_the_same(bigsec: Runner) -> None:
    _past(bigsec)
    bigsec("scan", "a.log", "--rules", "r", "--output", "out")
    by_file = json.loads(bigsec("rules", "backtest", "r", "--over", "a.log").out)
    by_log = json.loads(bigsec("rules", "backtest", "r", "--log", "out/evidence").out)
    assert by_log == by_file
    done = bigsec("rules", "backtest", "r", "--log", "out/evidence", "--until", "2026-11-21")
    assert json.loads(done.out)["signals"] == 1
