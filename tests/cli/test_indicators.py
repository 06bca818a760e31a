"""`bigsec indicators`, and indicators in a scan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Runner

CASES = Path(__file__).resolve().parents[1] / "detect" / "cases" / "indicators"
LIST, TABLE = CASES / "list.txt", CASES / "table.csv"
LOG = (
    '10.1.2.3 - - [24/Nov/2026:10:00:00 +0000] "GET http://shop.example/gate.php HTTP/1.1" 200 12'
    ' "-" "curl"\n'
    '{"time":"2026-11-24T10:00:01Z","DestinationIp":"192.0.2.66","DestinationPort":"4444"}\n'
    '{"time":"2026-11-24T10:00:02Z","DestinationIp":"192.0.2.66","DestinationPort":"80"}\n'
    '{"time":"2026-11-24T10:00:03Z","query":"old.example"}\n'
    '{"time":"2026-01-24T10:00:03Z","query":"old.example"}\n'
)


def test_good_files_are_counted_by_kind(bigsec: Runner) -> None:
    done = bigsec("indicators", "check", LIST, TABLE)
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("22 indicators of 2 files (domain 4, email 1, ")
    assert done.err.endswith("0 repeated, 0 not taken\n")


def test_every_bad_row_is_told_with_its_mend(bigsec: Runner) -> None:
    (bigsec.folder / "feed.csv").write_text(
        "indicator,type\n0.0.0.0/0,cidr\nevil.example,domian\nevil.example,domain\n"
    )
    done = bigsec("indicators", "check", "feed.csv")
    faults = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["line"], one["code"], one["mend"]) for one in faults] == [
        (2, "BS2302", "name smaller networks"),
        (3, "BS2301", 'did you mean "domain"?'),
    ]
    assert done.code == 3
    assert "1 indicators of 1 files (domain 1); 0 repeated, 2 not taken" in done.err
    shown = bigsec.on_terminal("indicators", "check", "feed.csv", "--color", "never")
    assert "help: name smaller networks" in shown.out


def test_nothing_to_look_for_is_an_error(bigsec: Runner) -> None:
    (bigsec.folder / "feed.txt").write_text("# empty\n")
    done = bigsec("scan", "feed.txt", "--indicators", "feed.txt")
    assert done.code == 3
    assert "BS2303" in done.err
    assert bigsec("indicators", "check", "nowhere.txt").code == 3


def test_texts_are_looked_up(bigsec: Runner) -> None:
    texts = ("GET http://shop.example/gate.php?x=1", "clean.example")
    done = bigsec("indicators", "find", *texts, "--in", LIST, "-i", TABLE)
    (found,) = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 1
    assert (found["type"], found["value"]) == ("url", "shop.example/gate.php")
    assert found["found"] == "http://shop.example/gate.php?x=1"
    table = bigsec.on_terminal("indicators", "find", *texts, "-i", LIST, "--color", "never")
    assert "shop.example/gate.php" in table.out
    assert bigsec("indicators", "find", "clean.example", "-i", LIST).code == 0
    assert bigsec("indicators", "find", "clean.example").code == 2


def test_a_scan_gives_signals_of_indicators_and_incidents_of_them(bigsec: Runner) -> None:
    (bigsec.folder / "a.log").write_text(LOG)
    options = ("--indicators", LIST, "--indicators", TABLE)
    done = bigsec("scan", "a.log", *options, "--signals")
    signals = [json.loads(line) for line in done.out.splitlines()]
    told = {(one["rule_title"], one["level"], one["time"][:19]) for one in signals}
    assert told == {
        ("Known indicator: url shop.example/gate.php", "medium", "2026-11-24T10:00:00"),
        (
            "Known indicator: ip_port 192.0.2.66:4444 (meterpreter)",
            "high",
            "2026-11-24T10:00:01",
        ),
        ("Known indicator: domain old.example (retired)", "medium", "2026-01-24T10:00:03"),
    }
    assert {one["detector"] for one in signals} == {"indicators"}
    (beacon,) = [one for one in signals if one["level"] == "high"]
    assert beacon["attack_techniques"] == ["T1571"]
    assert {"type": "ip", "value": "192.0.2.66"} in beacon["entities"]
    assert "22 indicators" in done.err
    found = bigsec("scan", "a.log", *options, "--output", "out", "--fail-on", "high")
    assert found.code == 1
    listed = bigsec("incidents", "list", "--store", "out", "--json").out
    titles = [json.loads(line)["title"]["en"] for line in listed.splitlines()]
    assert any("meterpreter" in title for title in titles)


@pytest.mark.parametrize("again", ["scan", "replay"])
def test_the_same_records_give_the_same_signals_again(bigsec: Runner, again: str) -> None:
    # A record from long before its receipt counts as of its receipt when it is read from a log.
    lines = [line for line in LOG.splitlines() if "old.example" not in line]
    (bigsec.folder / "a.log").write_text("\n".join(lines) + "\n")
    options = ("--indicators", LIST, "--indicators", TABLE, "--signals")
    first = bigsec("scan", "a.log", *options, "--output", "out")
    if again == "scan":
        second = bigsec("scan", "a.log", *options)
    else:
        second = bigsec("replay", "out/evidence", *options)
    ids = [
        sorted(json.loads(line)["signal_id"] for line in done.out.splitlines())
        for done in (first, second)
    ]
    assert len(ids[0]) == 2
    assert ids[0] == ids[1], second.err
