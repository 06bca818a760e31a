"""The daemon as a process: what it takes is kept, seen once, and survives how it ends."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bigsec
from bigsec.store import ledgers_of, open_store

from .conftest import Done, command, environment

WITHIN_S = 60.0
RULE = """title: t
status: stable
logsource: {product: x}
detection: {s: {a: value}, condition: s}
"""
CORRELATION = """title: A number
name: number
status: stable
level: low
logsource: {product: numbers}
detection: {s: {n|exists: true}, condition: s}
---
title: Three numbers
status: stable
level: high
correlation: {type: event_count, rules: [number], timespan: 1h, condition: {gte: 3}}
"""
PACK = "id: p\ntitle: Made\nabout: For this test.\ndecoder: plain\npriority: 1\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class Place:
    """A folder with a configuration, and the daemons that were started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.admin, self.tcp, self.http = free_port(), free_port(), free_port()
        self.running: subprocess.Popen[bytes] | None = None
        self.configure()

    def configure(self, more: str = "") -> None:
        (self.folder / "bigsec.toml").write_text(
            f"""
name = "relay-1"
data_dir = "{self.folder}/data"
[log]
min_free_bytes = 1000000
reserve_bytes = 1000000
[store]
correlate_s = 1
[admin]
listen = "127.0.0.1:{self.admin}"
[sources.web]
type = "syslog_tcp"
listen = "127.0.0.1:{self.tcp}"
[sources.up]
type = "http"
listen = "127.0.0.1:{self.http}"
[sinks.lake]
type = "file"
path = "{self.folder}/lake.ndjson"
[watch]
interval_s = 1
{more}
"""
        )

    def bigsec(self, *arguments: str | Path, **env: str) -> Done:
        done = subprocess.run(
            command(*arguments),
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=environment(**env),
            timeout=WITHIN_S,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self) -> None:
        log = (self.folder / "err").open("ab")
        self.running = subprocess.Popen(
            command("run", "-c", "bigsec.toml"), stderr=log, cwd=self.folder, env=environment()
        )
        log.close()
        wait_for(lambda: self.status() is not None or self.running.poll() is not None)  # type: ignore[union-attr]

    def end(self, number: signal.Signals) -> int:
        assert self.running is not None
        self.running.send_signal(number)
        code = self.running.wait(WITHIN_S)
        self.running = None
        return code

    def status(self) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/status") as answer:
                found: dict[str, Any] = json.load(answer)
        except (urllib.error.URLError, OSError):
            return None
        return found

    def post(self, numbers: range, line: bytes = b'{"n": %d}') -> None:
        body = b"".join(line % number + b"\n" for number in numbers)
        url = f"http://127.0.0.1:{self.http}/"
        with urllib.request.urlopen(urllib.request.Request(url, data=body)) as answer:
            assert answer.status == 200

    def incidents(self) -> str:
        """The incidents in the store, one JSON object a line."""
        return self.bigsec("incidents", "list", "--store", "data/store", "--json").out

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "err").read_text().splitlines()]

    def sunk(self) -> list[int]:
        """The numbers that reached the sink."""
        found = []
        for line in (self.folder / "lake.ndjson").read_text().splitlines():
            event = json.loads(line)
            if event["source"] == "up":
                (own,) = [one["value"] for one in event["unmapped"] if one["name"] == "n"]
                found.append(int(own))
        return found

    def received(self) -> int:
        with open_store(self.folder / "data" / "store") as store:
            with store.read() as connection:
                logs = connection.exec_driver_sql("SELECT DISTINCT log FROM source_ledger").all()
            entries = [one for (log,) in logs for one in ledgers_of(store, log)]
        assert all(one.received == one.parsed + one.unparsed + one.quarantined for one in entries)
        return sum(one.received for one in entries if one.source == "up")


def wait_for(held: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN_S
    while not held():
        assert time.monotonic() < until, "it did not come to be in time"
        time.sleep(0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    if made.running is not None:
        made.running.kill()
        made.running.wait()


def test_p9_a_stop_in_order_has_read_everything(place: Place) -> None:
    place.start()
    place.post(range(5_000))
    assert place.end(signal.SIGTERM) == 0
    assert place.received() == 5_000
    assert [one["code"] for one in place.log()][-2:] == ["daemon.stopping", "daemon.stopped"]
    assert place.bigsec("verify", "data").code == 0


def test_p1_kills_lose_nothing_and_double_nothing(place: Place) -> None:
    """Five kills at random moments; store and sink have each number once."""
    moments = random.Random(7)  # noqa: S311  # a fixed seed
    for turn in range(5):
        place.start()
        place.post(range(turn * 1_000, turn * 1_000 + 1_000))
        time.sleep(moments.uniform(0, 0.6))
        place.end(signal.SIGKILL)
    place.start()
    wait_for(lambda: len(place.sunk()) >= 5_000)
    wait_for(lambda: place.received() >= 5_000)
    assert place.end(signal.SIGTERM) == 0
    assert place.received() == 5_000
    assert sorted(place.sunk()) == list(range(5_000))
    assert place.bigsec("verify", "data", "--name", "relay-1").code == 0


def test_a_reload_shows_what_changes_and_the_invalid_keeps_the_old(place: Place) -> None:
    place.start()
    place.configure("lag_s = 77")
    done = place.bigsec("reload", "-c", "bigsec.toml")
    assert (done.code, json.loads(done.out)["ok"]) == (0, True)
    place.configure("lag_s = 78")
    done = place.bigsec("reload", "-c", "bigsec.toml", "--format", "table")
    assert done.out == "watch.lag_s: 77 → 78\n"
    place.configure("lag_ss = 79")
    done = place.bigsec("reload", "-c", "bigsec.toml")
    assert done.code == 78
    assert "did you mean `lag_s`?" in done.err
    assert place.running is not None
    place.running.send_signal(signal.SIGHUP)
    wait_for(lambda: any(one["code"] == "watch.config_refused" for one in place.log()))
    place.post(range(3))
    assert place.end(signal.SIGTERM) == 0
    assert place.received() == 3
    shown = place.bigsec("incidents", "list", "--store", "data/store", "--json").out
    assert "New Configuration Was Refused" in shown


def test_a_reload_tells_of_rules_and_packs_that_say_something_else(place: Place) -> None:
    rule, pack = place.folder / "rules" / "r.yml", place.folder / "packs" / "p.yaml"
    for path, text in ((rule, RULE), (pack, PACK)):
        path.parent.mkdir()
        path.write_text(text)
    place.configure(f"[rules]\npaths = ['{rule.parent}']\n[packs]\npath = '{pack.parent}'")
    place.start()
    rule.write_text(RULE.replace("value", "other"))
    done = place.bigsec("reload", "-c", "bigsec.toml", "--format", "table")
    assert re.fullmatch(r"rules\.version: \w{12} → \w{12}\n", done.out), done.out
    pack.write_text(PACK.replace("Made", "Remade"))
    done = place.bigsec("reload", "-c", "bigsec.toml", "--format", "table")
    assert re.fullmatch(r"packs\.version: \w{12} → \w{12}\n", done.out), done.out
    assert place.end(signal.SIGTERM) == 0


def test_a_reload_takes_other_indicators_without_a_pause(place: Place) -> None:
    feed = place.folder / "feed.txt"
    feed.write_text("other.example\n")
    place.configure(f"[indicators]\npaths = ['{feed}']\nlevel = 'high'")
    place.start()
    place.post(range(2))
    wait_for(lambda: len(place.sunk()) == 2)
    feed.write_text("n3.example\n0.0.0.0/0\n")
    done = place.bigsec("reload", "-c", "bigsec.toml", "--format", "table")
    assert re.fullmatch(r"rules\.version: \w{12} → \w{12}\n", done.out), done.out
    assert any("0.0.0.0/0" in str(one) for one in place.log()), "T18: the bad row is told"
    place.post(range(2, 7), b'{"n": %d, "query": "n3.example"}')
    wait_for(lambda: len(place.sunk()) == 7)
    assert place.end(signal.SIGTERM) == 0
    shown = place.bigsec("incidents", "list", "--store", "data/store", "--json").out
    (incident,) = [json.loads(line) for line in shown.splitlines()]
    assert (incident["level"], incident["signal_count"]) == ("high", 5)
    assert "domain n3.example" in incident["title"]["en"]


@pytest.mark.parametrize("between", ["kill", "stop", "reload"])
def test_p1_what_a_correlation_has_seen_outlives_the_process(place: Place, between: str) -> None:
    """Two of three failed logons before a kill, a stop or a reload, the third after it."""
    rule = place.folder / "rules" / "r.yml"
    rule.parent.mkdir()
    rule.write_text(CORRELATION)
    place.configure(f"[rules]\npaths = ['{rule.parent}']")
    place.start()
    place.post(range(2))
    wait_for(lambda: len(place.sunk()) == 2)
    if between == "reload":
        rule.write_text(CORRELATION + "---\n" + RULE)
        assert place.bigsec("reload", "-c", "bigsec.toml").code == 0
    else:
        place.end(signal.SIGKILL if between == "kill" else signal.SIGTERM)
        place.start()
    place.post(range(2, 3))
    wait_for(lambda: len(place.sunk()) == 3)
    assert place.end(signal.SIGTERM) == 0
    shown = place.bigsec("incidents", "list", "--store", "data/store", "--json").out
    (incident,) = [json.loads(line) for line in shown.splitlines()]
    assert incident["title"]["en"].startswith("Three numbers")
    assert (incident["signal_count"], incident["event_count"]) == (1, 3)


def test_t7_a_rule_that_matches_everything_does_not_drown_another(place: Place) -> None:
    """T7: of 5,000 matches of one rule 50 give signals, the one match of the other rule is seen."""
    rule = place.folder / "rules" / "r.yml"
    rule.parent.mkdir()
    everything = "title: Everything\nstatus: stable\nlogsource: {product: n}\n"
    everything += "detection: {s: {n|exists: true}, condition: s}\n"
    one = "title: The one\nstatus: stable\nlevel: high\nlogsource: {product: n}\n"
    one += "detection: {s: {n: 4999}, condition: s}\n"
    rule.write_text(f"{everything}---\n{one}")
    platform = Path(bigsec.__file__).parent / "packs" / "rules" / "platform"
    limit = "[limits]\nrule_signals_per_minute_max = 50"
    place.configure(f"[rules]\npaths = ['{rule.parent}', '{platform}']\n{limit}")
    place.start()
    place.post(range(5_000))
    wait_for(lambda: any(one["code"] == "watch.rule_flood" for one in place.log()))
    assert place.end(signal.SIGTERM) == 0
    assert place.received() == 5_000
    place.start()
    wait_for(lambda: "Matches Too Much" in place.incidents())
    assert place.end(signal.SIGTERM) == 0
    with open_store(place.folder / "data" / "store") as store, store.read() as connection:
        titles = "SELECT rule_title, count(*) FROM signal GROUP BY 1"
        rows = connection.exec_driver_sql(titles).all()
    counts = {row[0]: row[1] for row in rows}
    assert (counts["Everything"], counts["The one"]) == (50, 1)


def test_one_daemon_a_folder_and_status_says_when_none_runs(place: Place) -> None:
    assert place.bigsec("status", "-c", "bigsec.toml").code == 69
    place.start()
    second = place.bigsec("run", "-c", "bigsec.toml")
    assert second.code == 69
    assert json.loads(second.err.splitlines()[-1])["code"] == "store.locked"
    done = place.bigsec("status", "-c", "bigsec.toml", "--json")
    assert (done.code, json.loads(done.out)["name"]) == (0, "relay-1")
    rows = place.bigsec("top", "-c", "bigsec.toml", "--once", "--json").out.splitlines()
    assert {json.loads(row)["source"] for row in rows} >= {"up", "web"}


def test_a_wrong_configuration_does_not_start(place: Place) -> None:
    place.configure("nothing_known = 1")
    done = place.bigsec("run", "-c", "bigsec.toml")
    assert done.code == 78
    assert "nothing_known" in done.err
    assert not (place.folder / "data").exists()


@pytest.mark.parametrize("harm", ["garble", "cut", "remove"])
def test_p16_whatever_stands_in_the_folder_it_starts_or_says_which_file(
    place: Place, harm: str
) -> None:
    """Each file of the state in turn."""
    place.start()
    place.post(range(200))
    place.end(signal.SIGTERM)
    good = place.folder / "good"
    shutil.copytree(place.folder / "data", good)
    files = sorted(
        path.relative_to(good)
        for path in good.rglob("*")
        if path.is_file() and path.name not in {".lock", "lock"}
    )
    choose = random.Random(11)  # noqa: S311  # a fixed seed
    for path in files:
        shutil.rmtree(place.folder / "data")
        shutil.copytree(good, place.folder / "data")
        _harm(place.folder / "data" / path, harm, choose)
        (place.folder / "err").write_text("")
        place.start()
        assert place.running is not None
        if place.running.poll() is None:
            place.post(range(10))
            code = place.end(signal.SIGTERM)
            assert code == 0
        else:
            code = place.running.returncode
            place.running = None
            assert code in {69, 78}
            last = place.log()[-1]
            assert last["level"] == "error"
            assert last.get("file") or str(place.folder) in last["text"]
    assert len(files) >= 5


def _harm(path: Path, harm: str, choose: random.Random) -> None:
    raw = bytearray(path.read_bytes()) or bytearray(16)
    if harm == "remove":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    else:
        for _ in range(8):
            raw[choose.randrange(len(raw))] ^= 0xFF
        path.write_bytes(raw)


def test_t1_a_changed_record_is_found_and_said_to_whoever_is_woken(place: Place) -> None:
    place.start()
    place.post(range(100))
    place.end(signal.SIGTERM)
    (segment,) = (place.folder / "data" / "log").glob("*.seg")
    raw = segment.read_bytes()
    segment.write_bytes(raw.replace(b'{"n": 42}', b'{"n": 43}'))
    done = place.bigsec("verify", "data", "--format", "table")
    assert done.code == 5
    assert "DAMAGED" in done.out
    assert segment.name in done.out
    report = json.loads(place.bigsec("verify", "data", "--json").out)
    assert not report["ok"]
    told = place.bigsec("verify", "data", "--format", "table", BIGSEC_LANG="zh_CN").out
    assert "已损坏" in told


def test_a_record_is_shown_exported_and_verified_by_a_stranger(place: Place) -> None:
    key = place.folder / "key"
    vkey = place.bigsec("evidence", "keygen", key, "--name", "relay-1").out.strip()
    text = (place.folder / "bigsec.toml").read_text()
    signed = text.replace("[log]", f'[log]\nkey_file = "{key}"\ncheckpoint_s = 1')
    (place.folder / "bigsec.toml").write_text(signed)
    place.start()
    place.post(range(10))
    wait_for(
        lambda: bool(
            ((place.status() or {"log": {}})["log"].get("checkpoint") or {}).get("size", 0) > 9
        )
    )
    place.end(signal.SIGTERM)
    assert place.bigsec("verify", "data", "--key", vkey).code == 0
    raw = place.bigsec("evidence", "show", "3", "--log", "data", "--raw").out
    shown = json.loads(place.bigsec("evidence", "show", "3", "--log", "data", "--json").out)
    assert raw
    assert shown["sequence"] == 3
    again = place.bigsec("evidence", "show", shown["event_id"], "--log", "data", "--raw").out
    assert again == raw
    assert place.bigsec("evidence", "show", "99999", "--log", "data").code == 3
    done = place.bigsec("evidence", "export", "3", "4", "--log", "data", "-o", "bundle.json")
    assert done.code == 0, done.err
    script = Path(__file__).resolve().parents[2] / "docs" / "evidence_verify.py"
    stranger = subprocess.run(
        [shutil.which("python3") or "python3", script, "bundle.json", "--key", vkey],
        cwd=place.folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert stranger.returncode == 0, stranger.stdout + stranger.stderr


def test_a_replay_finds_what_the_daemon_found(place: Place) -> None:
    place.start()
    when = b"[25/Nov/2026:01:00:00 +0000]"
    line = b'192.0.2.7 - - %s "GET /?f=../../../../etc/passwd HTTP/1.1" 403 1\n' % when
    with socket.create_connection(("127.0.0.1", place.tcp)) as link:
        link.sendall(line * 3)
    wait_for(
        lambda: ((place.status() or {})["sources"]["web"]["ledger"] or {}).get("received") == 3
    )
    place.end(signal.SIGTERM)

    def signals(*arguments: str) -> set[str]:
        done = place.bigsec("incidents", "list", "--store", *arguments, "--json")
        return {json.loads(row)["title"]["en"] for row in done.out.splitlines()}

    replayed = place.bigsec("replay", "data", "--output", "again")
    assert replayed.code == 0, replayed.err
    assert signals("again") == signals("data/store")
    assert "Path Traversal in a Web Request from 192.0.2.7" in signals("again")


def titles(place: Place) -> set[str]:
    done = place.bigsec("incidents", "list", "--store", "data/store", "--json")
    return {json.loads(row)["title"]["en"] for row in done.out.splitlines()}


def test_the_platforms_own_troubles_become_incidents(place: Place) -> None:
    """A silent source and a dead sink; records are taken in all the while (P7)."""
    place.configure(
        'silent_s_min = 1\nsilent_factor = 1.5\n[sinks.dead]\ntype = "http"\n'
        'url = "http://127.0.0.1:9/"\ntimeout_s = 1\n'
    )
    place.start()
    kinds = {"watch.source_silent", "watch.sink_failing"}
    wait_for(lambda: kinds <= {one["code"] for one in place.log()})
    place.post(range(1_000))
    wait_for(
        lambda: any(
            one["code"] == "watch.source_silent" and one["state"] == "cleared"
            for one in place.log()
        )
    )
    began = time.monotonic()
    assert place.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 30
    assert place.received() == 1_000
    assert sorted(place.sunk()) == list(range(1_000))
    assert any("Silent" in one or "Sink" in one for one in titles(place))


def test_t17_a_sender_cannot_raise_the_platforms_alarms(place: Place) -> None:
    place.start()
    fake = {"platform_event": "log_damage", "state": "raised", "subject": "x", "host": "relay-1"}
    body = json.dumps({"time": "2026-11-25T02:00:00Z", **fake}).encode()
    url = f"http://127.0.0.1:{place.http}/"
    urllib.request.urlopen(urllib.request.Request(url, data=body)).close()
    wait_for(lambda: any(one["code"] == "watch.forged" for one in place.log()))
    place.end(signal.SIGTERM)
    assert not any("Damaged" in one for one in titles(place))
    assert any("Forged" in one for one in titles(place))
    assert place.received() == 1


def test_t1_a_log_set_back_to_an_older_copy_is_told_and_read_on(place: Place) -> None:
    place.start()
    place.post(range(10))
    place.end(signal.SIGTERM)
    data = place.folder / "data"
    shutil.copytree(data / "log", place.folder / "older")
    place.start()
    place.post(range(10, 200))
    place.end(signal.SIGTERM)
    shutil.rmtree(data / "log")
    shutil.copytree(place.folder / "older", data / "log")
    place.start()
    assert any(one["code"] == "daemon.log_set_back" for one in place.log())
    place.post(range(200, 230))
    place.end(signal.SIGTERM)
    assert place.received() == 230
    assert any("Evidence Log Was Damaged" in one for one in titles(place))


def test_a_key_that_another_follows_keeps_the_log_provable(place: Place) -> None:
    """Verified with the first key alone; a key that nobody handed over to is told."""
    first, second = (
        place.bigsec("evidence", "keygen", name, "--name", "relay-1").out.strip()
        for name in ("first.key", "second.key")
    )
    assert len({first, second, ""}) == 3
    settings = (place.folder / "bigsec.toml").read_text()

    def run_with(key: str, numbers: range) -> None:
        text = settings.replace("[log]", f'[log]\nkey_file = "{place.folder}/{key}"', 1)
        (place.folder / "bigsec.toml").write_text(text)
        place.start()
        place.post(numbers)
        assert place.end(signal.SIGTERM) == 0

    run_with("first.key", range(10))
    handed = place.bigsec("evidence", "rotate", "first.key", "second.key", "--log", "data")
    assert handed.code == 0, handed.err
    run_with("second.key", range(10, 20))
    verified = place.bigsec("verify", "data", "--key", first, "--name", "relay-1", "--json")
    assert verified.code == 0, verified.out
    assert json.loads(verified.out)["key"] == second
    assert place.bigsec("evidence", "keygen", "third.key", "--name", "relay-1").code == 0
    run_with("third.key", range(20, 30))
    verified = place.bigsec("verify", "data", "--key", first, "--json")
    assert verified.code == 5
    assert "wrong-key" in {one["kind"] for one in json.loads(verified.out)["findings"]}


def test_p13_limits_made_smaller_and_larger_between_runs_leave_the_log_whole(place: Place) -> None:
    settings = (place.folder / "bigsec.toml").read_text()
    forms = [
        ("segment_bytes = 65536\ngroup_bytes = 4096", ""),
        ("segment_bytes = 4194304\ngroup_bytes = 1048576", "record_bytes_max = 65536"),
        (
            "segment_bytes = 131072\nsegment_age_s = 1\ncompress = false",
            "queue_bytes_max = 67108864",
        ),
        ("segment_bytes = 65536", ""),
    ]
    for turn, (log, limits) in enumerate(forms):
        text = settings.replace("[log]", f"[log]\n{log}", 1) + f"\n[limits]\n{limits}\n"
        (place.folder / "bigsec.toml").write_text(text)
        place.start()
        for part in range(4):
            first = turn * 4_000 + part * 1_000
            place.post(range(first, first + 1_000))
        assert place.end(signal.SIGTERM) == 0
    assert place.bigsec("verify", "data").code == 0
    assert place.received() == 16_000
    assert sorted(place.sunk()) == list(range(16_000))
