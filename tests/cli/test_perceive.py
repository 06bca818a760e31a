"""`bigsec perceive`: from a table of alerts to few incidents, and why."""

from __future__ import annotations

import json
import re

import pytest

from .conftest import Runner

NOISE = "Wazuh: Web server 400 error code."


@pytest.fixture
def attacked(bigsec: Runner) -> Runner:
    """Three days of a noisy web server, and an attack at their end."""
    rows = ["time,name,host", *(f"{300 * number},{NOISE},web" for number in range(864))]
    attack = (
        (0, "Suricata: Alert - ET SCAN Possible Nmap User-Agent Observed", "files"),
        (20, "Wazuh: Suspicious URL access.", "web"),
        (40, "Wazuh: Common web attack.", "web"),
        (90, "Wazuh: User successfully changed UID.", "web"),
    )
    rows += [f"{259_200 + second},{name},{host}" for second, name, host in attack]
    (bigsec.folder / "alerts.csv").write_text("\n".join(rows))
    return bigsec


def test_what_says_enough_is_raised_and_its_score_adds_up(attacked: Runner) -> None:
    done = attacked("perceive", "alerts.csv")
    assert done.code == 1
    assert done.err == "868 alerts (0 other records) · 3 incidents · 3 raised\n"
    told = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["method"], one["hosts"], one["alerts"]) for one in told] == [
        ("scanning", ["files"], 1),
        ("web_attack", ["web"], 2),
        ("privilege", ["web"], 1),
    ]
    assert len({one["campaign"] for one in told}) == 1
    for one in told:
        assert sum(part["counted"] for part in one["parts"]) == pytest.approx(one["score"])
        assert one["raised"] >= one["first"]
    quiet = attacked("perceive", "alerts.csv", "--quiet", "--format", "csv")
    assert quiet.err == ""
    assert len(quiet.out.splitlines()) == 4


def test_a_person_gets_a_table_and_the_reasons(attacked: Runner) -> None:
    shown = attacked("perceive", "alerts.csv", "--format", "table").out
    assert re.search(r"web attack\s+web\s+2\s", shown)
    number = re.search(r"(\d+)\s+\d+\s+\S+ \S+\s+web attack", shown)
    assert number is not None
    why = attacked("perceive", "alerts.csv", "--format", "table", "--explain", number[1]).out
    assert f"Incident {number[1]}: web attack (T1190)" in why
    assert "Wazuh: Common web attack." in why
    unknown = attacked("perceive", "alerts.csv", "--explain", "99")
    assert unknown.code == 2
    assert "there is no incident 99" in unknown.err


def test_ordinary_life_is_no_finding_and_bad_lines_are_told(bigsec: Runner) -> None:
    rows = [f"{300 * number},{NOISE},web" for number in range(864)]
    (bigsec.folder / "quiet.csv").write_text("\n".join(["time,name,host", *rows]))
    done = bigsec("perceive", "quiet.csv")
    assert (done.code, done.out) == (0, "")
    (bigsec.folder / "bad.csv").write_text("time,name,host\nsoon,x,web\n5,y,web\n")
    bad = bigsec("perceive", "bad.csv", "nowhere.csv")
    assert bad.code == 3
    assert "bad.csv:2" in bad.err
    assert "no time" in bad.err
    assert "BS1101" in bad.err
    assert "nowhere.csv" in bad.err
    (bigsec.folder / "torn.csv.gz").write_bytes(b"no gzip")
    torn = bigsec("perceive", "torn.csv.gz")
    assert torn.code == 3
    assert "BS1103" in torn.err
    (bigsec.folder / "flows.json").write_text('{"ts": 5, "proto": "tcp", "host": "web"}\n')
    other = bigsec("perceive", "flows.json")
    assert other.code == 3
    assert "no record is an alert" in other.err


def test_what_was_discovered_is_judged_without_showing_the_labels(attacked: Runner) -> None:
    path = attacked.folder / "alerts.csv"
    head, *rows = path.read_text().splitlines()
    marks = {"ET SCAN": "scan", "web attack": "web", "URL access": "web", "changed UID": "root"}
    labelled = [
        f"{row},{next((mark for name, mark in marks.items() if name in row), '-')}" for row in rows
    ]
    # Something that no detector can tell from ordinary life.
    labelled[400] = labelled[400].removesuffix("-") + "quiet"
    path.write_text("\n".join([f"{head},label", *labelled]))
    done = attacked("evaluate", "alerts.csv")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["alerts"], told["raised"], told["noise"]) == (868, 3, 0)
    assert (told["attacks"], told["attacks_found"], told["discovered"]) == (4, 3, 0.75)
    assert told["raised_a_day"] == pytest.approx(1.0, abs=0.01)
    by_label = {one["label"]: one for one in told["found"]}
    assert by_label["quiet"]["minutes"] is None
    assert by_label["quiet"]["gathered"] == 0
    assert by_label["web"]["alerts"] == by_label["web"]["gathered"] == 2
    assert by_label["web"]["minutes"] == pytest.approx(20 / 60, abs=0.01)
    assert attacked("evaluate", "alerts.csv", "--at-least", "0.7").code == 0
    assert attacked("evaluate", "alerts.csv", "--at-least", "0.8").code == 1
    shown = attacked("evaluate", "alerts.csv", "--format", "table").out
    assert "3 of 4 attacks found (75%)" in shown
    wrong = attacked("evaluate", "alerts.csv", "--label", "nothing")
    assert wrong.code == 2
    assert "--label COLUMN" in wrong.err


def test_days_one_by_one_are_as_all_at_once(attacked: Runner) -> None:
    whole = attacked("perceive", "alerts.csv", "--all")
    head, *rows = (attacked.folder / "alerts.csv").read_text().splitlines()
    for number, part in enumerate((rows[:400], rows[400:860], rows[860:])):
        (attacked.folder / f"{number}.csv").write_text("\n".join([head, *part]))
        found = attacked("perceive", f"{number}.csv", "--all", "--state", "kept")
    assert found.out == whole.out
    again = attacked("perceive", "0.csv", "1.csv", "2.csv", "--all", "--state", "kept")
    assert again.out == whole.out
    assert "868 alerts were taken in an earlier run" in again.err


@pytest.mark.parametrize("text", ["", "[]", '{"format": "other", "version": 1}', "{"])
def test_a_state_that_is_none_is_named_and_left_alone(attacked: Runner, text: str) -> None:
    (attacked.folder / "kept").write_text(text)
    done = attacked("perceive", "alerts.csv", "--state", "kept")
    assert done.code == 3
    assert "BS4210" in done.err
    assert "kept" in done.err
    assert (attacked.folder / "kept").read_text() == text


def test_what_is_raised_can_be_kept_with_all_other_incidents(attacked: Runner) -> None:
    first = attacked("perceive", "alerts.csv", "--keep", "kept")
    assert "Kept in kept: 2 new incidents, 0 grown" in first.err
    again = attacked("perceive", "alerts.csv", "--keep", "kept")
    assert "Kept in kept: 0 new incidents, 0 grown" in again.err
    listed = attacked("incidents", "list", "--store", "kept")
    told = [json.loads(line) for line in listed.out.splitlines()]
    assert {one["target"]["values"][0] for one in told} == {"files", "web"}
    (web,) = [one for one in told if one["target"]["values"] == ["web"]]
    assert set(web["method"]["values"]) == {"T1190", "T1548"}
    assert web["rules"] == 3
    whole = attacked("incidents", "show", web["number"], "--store", "kept", "--format", "table")
    assert "Wazuh: Common web attack." in whole.out


def test_an_address_that_a_network_sensor_names_is_an_address(attacked: Runner) -> None:
    lines = (attacked.folder / "alerts.csv").read_text()
    (attacked.folder / "alerts.csv").write_text(
        re.sub(",(web|files)$", ",192.0.2.9", lines, flags=re.M)
    )
    attacked("perceive", "alerts.csv", "--keep", "kept")
    (line,) = attacked("incidents", "list", "--store", "kept").out.splitlines()
    number = json.loads(line)["number"]
    whole = json.loads(attacked("incidents", "show", number, "--store", "kept").out)
    assert whole["target"]["values"] == ["192.0.2.9"]
    assert whole["entities"] == [{"type": "ip", "value": "192.0.2.9", "role": "target"}]
