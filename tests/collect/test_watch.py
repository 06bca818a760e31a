"""Watching the watchers: what is amiss is found once, told once, and ends once."""

from __future__ import annotations

import copy
import io
import json
import random
import threading
from typing import Any

import pytest

from bigsec.collect.own_log import OwnLog
from bigsec.collect.settings import Settings
from bigsec.collect.settings import Watch as Thresholds
from bigsec.collect.watch import Watch
from bigsec.collect.watch.findings import Finding, Findings
from bigsec.collect.watch.forecast import Backlog, DiskForecast
from bigsec.collect.watch.rhythm import Rhythm
from bigsec.errors import StoreFullError
from bigsec.store import memory_store, read_alarms

SECOND = 1_000_000
START = 1_800_000_000 * SECOND
LIMITS = Thresholds()


def status(now_s: float, **sources: dict[str, Any]) -> dict[str, Any]:
    """A status as the core gives it."""
    meters = {"records": 0, "last_received_us": 0, "kernel_drops": 0}
    return {
        "name": "relay-1",
        "now_us": START + int(now_s * SECOND),
        "health": {"state": "ok", "reasons": []},
        "log": {"size": 0, "recovery": {"damage": []}},
        "consumer": {"next": 0, "lag": 0},
        "disk": {"free": 10**12, "total": 10**13},
        "sources": {
            name: {
                "meters": meters | {key: one for key, one in more.items() if key != "skew_us"},
                "ledger": {"clock_skew_us": more.get("skew_us")},
            }
            for name, more in sources.items()
        },
    }


class Looker:
    """Looks again and again, and remembers what is raised, as the watch does."""

    def __init__(self) -> None:
        self.findings = Findings({})
        self.findings.began(status(0))
        self.findings.clocks = frozenset({"fw"})
        self.raised: set[tuple[str, str]] = set()
        self.told: list[tuple[str, str, bool]] = []

    def look(self, seen: dict[str, Any]) -> list[Finding]:
        found = self.findings.of(seen, LIMITS, self.raised)
        for one in found:
            (self.raised.add if one.raised else self.raised.discard)(one.key)
            self.told.append((one.kind, one.subject, one.raised))
        return found


def heard(now_s: float, records: int, last_s: float) -> dict[str, Any]:
    return {"records": records, "last_received_us": START + int(last_s * SECOND)}


def run_source(looker: Looker, gaps: list[float], start_s: float = 0.0) -> tuple[float, int]:
    """A source with these gaps between its records, looked at every 5 s."""
    moments, at = [], start_s
    for gap in gaps:
        at += gap
        moments.append(at)
    count, look_s = 0, start_s
    while look_s < at + 5:
        look_s += 5
        while count < len(moments) and moments[count] <= look_s:
            count += 1
        last = moments[count - 1] if count else 0
        looker.look(status(look_s, fw=heard(look_s, count, last)))
    return look_s, count


def test_a_busy_source_that_stops_is_silent_after_minutes() -> None:
    looker = Looker()
    now_s, count = run_source(looker, [0.5] * 2_000)
    assert looker.told == []
    last_s = now_s - 5
    for _ in range(120):
        now_s += 5
        looker.look(status(now_s, fw=heard(now_s, count, last_s)))
    assert looker.told == [("source_silent", "fw", True)]
    looker.look(status(now_s + 5, fw=heard(now_s, count + 1, now_s + 4)))
    assert looker.told[1:] == [("source_silent", "fw", False)]


def test_a_source_that_speaks_every_hour_may_be_silent_for_hours() -> None:
    looker = Looker()
    rhythm = Rhythm()
    random_gaps = random.Random(3)  # noqa: S311  # a fixed seed
    for _ in range(200):
        rhythm.add(3600 * random_gaps.uniform(0.9, 1.1))
    looker.findings = Findings({"fw": rhythm.written()})
    looker.findings.began(status(0))
    for now_s in range(0, 5 * 3600, 60):
        looker.look(status(now_s, fw=heard(now_s, 0, 0)))
        usual = Rhythm.read(looker.findings.rhythms()["fw"]).usual_longest_s()
        assert usual is not None
        if now_s < 3 * 3600:
            assert looker.told == []
    assert looker.told == [("source_silent", "fw", True)]


def test_a_silence_that_comes_every_night_is_learned() -> None:
    rhythm = Rhythm()
    for _ in range(4):
        for _ in range(16 * 60):
            rhythm.add(60)
        rhythm.add(8 * 3600, was_alarm=(rhythm.usual_longest_s() or 0) * 3 < 8 * 3600)
    assert (rhythm.usual_longest_s() or 0) > 7 * 3600


def test_one_outage_does_not_become_a_habit() -> None:
    rhythm = Rhythm()
    for _ in range(14 * 24 * 60):
        rhythm.add(60)
    rhythm.add(8 * 3600, was_alarm=True)
    assert (rhythm.usual_longest_s() or 0) < 100


def test_a_rhythm_survives_being_written_and_whatever_stands_there() -> None:
    rhythm = Rhythm()
    for gap in (0.001, 5, 1e12, float("inf"), float("nan"), -1, 0):
        rhythm.add(gap)
    again = Rhythm.read(rhythm.written())
    assert again.usual_longest_s() == rhythm.usual_longest_s()
    for written in ("", "{}", "[[1]]", "[[1, -1]]", '[["a", 1]]', "[[1e99, 1]]", "[[1, 1e999]]"):
        assert Rhythm.read(written).usual_longest_s() is None


def test_skew_lag_drops_and_health_are_told_once_and_end() -> None:
    looker = Looker()
    bad = status(5, fw=heard(5, 1, 5) | {"kernel_drops": 7, "skew_us": -400 * SECOND})
    bad["health"]["reasons"] = [{"part": "keeper", "what": "x", "code": "BS5901", "mend": ""}]
    for step in range(20):
        seen = copy.deepcopy(bad)
        seen["now_us"] += step * 10 * SECOND
        seen["log"]["size"] = 1000
        seen["sources"]["fw"]["meters"]["last_received_us"] = seen["now_us"]
        seen["sources"]["fw"]["meters"]["records"] += step
        looker.look(seen)
    raised = {kind for kind, _, state in looker.told if state}
    assert raised == {"drops", "clock_skew", "degraded", "lag"}
    drops = [state for kind, _, state in looker.told if kind == "drops"]
    assert drops == [True, False]  # no more were lost for a while
    good = status(300, fw=heard(300, 50, 300) | {"kernel_drops": 7, "skew_us": 0})
    good["log"]["size"] = good["consumer"]["next"] = 1000
    looker.look(good)
    assert looker.raised == set()
    assert len(looker.told) == 8


def test_a_source_that_is_taken_out_ends_its_alarms() -> None:
    looker = Looker()
    looker.look(status(5, fw={"kernel_drops": 3}))
    assert looker.raised == {("drops", "fw")}
    looker.look(status(10))
    assert looker.raised == set()


def test_the_disk_is_forecast_by_a_line() -> None:
    disk = DiskForecast()
    for minute in range(60):
        disk.add(minute * 60.0, 100e9 - minute * 1e9)
    left = disk.seconds_left(41e9)
    assert left is not None
    assert abs(left - 41 * 60) < 1
    steady = DiskForecast()
    for minute in range(60):
        steady.add(minute * 60.0, 100e9)
    assert steady.seconds_left(100e9) is None
    assert DiskForecast().seconds_left(1.0) is None


def test_the_backlog_has_the_age_of_its_oldest_record() -> None:
    backlog = Backlog()
    assert backlog.age_s(0, 10, 10) == 0
    assert backlog.age_s(10, 20, 10) == 0
    assert backlog.age_s(40, 30, 15) == 30
    assert backlog.age_s(50, 30, 20) == 10
    assert backlog.age_s(60, 30, 30) == 0


class Core:
    """What of the core the watch needs."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.gauges: dict[str, float] = {}
        self.blocked = threading.Event()

    def append(self, source: str, records: list[bytes]) -> int:
        assert source == "bigsec.watch"
        self.records += [json.loads(one) for one in records]
        return len(self.records)

    def set_gauge(self, name: str, value: float) -> None:
        self.gauges[name] = value


def test_a_restart_does_not_repeat_what_is_raised_and_a_storm_is_one_event() -> None:
    store = memory_store()
    told: list[dict[str, Any]] = []
    for _ in range(2):
        core = Core()
        watch = Watch(Settings(name="relay-1"), store, core, OwnLog(io.StringIO()))
        watch.began(status(0))
        many = {f"s{number}": {"kernel_drops": 5} for number in range(300)}
        watch.look(status(5, one={"kernel_drops": 0}, **many))
        watch.raise_once("config_refused", "bigsec.toml", "x")
        watch.end(5.0)
        told += core.records
    states = [(one["platform_event"], one["state"]) for one in told]
    assert states.count(("drops", "raised")) == 1
    assert states.count(("config_refused", "raised")) == 1
    assert states.count(("started", "info")) == 2
    (storm,) = [one for one in told if one["platform_event"] == "drops"]
    assert storm["count"] == 300
    assert storm["host"] == "relay-1"


def test_p6_a_store_that_takes_nothing_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, core = memory_store(), Core()
    watch = Watch(Settings(), store, core, OwnLog(io.StringIO()))

    def refuse(*_: Any) -> None:
        raise StoreFullError("BS3103", "store.full", "full")

    with monkeypatch.context() as patched:
        patched.setattr("bigsec.collect.watch.write_alarms", refuse)
        patched.setattr("bigsec.collect.watch.write_rhythms", refuse)
        assert watch.raise_once("store_refuses", "db", "full")
        assert not watch.raise_once("store_refuses", "db", "full")
        assert watch.raise_once("lag", "relay", "x")
    watch.clear("lag", "relay")
    watch.end(5.0)
    assert [one["state"] for one in core.records] == ["raised", "raised", "cleared"]
    assert read_alarms(store).keys() == {("store_refuses", "db")}
