"""A status as people see it."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from bigsec.cli.status import rates
from bigsec.cli.status_view import shown_age, shown_bytes, view

SECOND = 1_000_000
STATUS: dict[str, Any] = {
    "name": "relay-1\x1b[31m",
    "version": "0.1.0",
    "started_us": 0,
    "now_us": 7_200 * SECOND,
    "health": {"state": "ok", "reasons": []},
    "log": {
        "size": 5_000,
        "bytes": 5 * 1024 * 1024,
        "segments": 2,
        "checkpoint": {"size": 4_000, "time_us": 7_190 * SECOND},
        "keeper": {"where": "/mnt", "size": None},
    },
    "consumer": {"next": 4_990, "lag": 10},
    "disk": {"free": 2**40, "total": 2**41},
    "gauges": {"bigsec_disk_full_hours": 12.0},
    "sources": {
        "fw": {
            "meters": {
                "records": 5_000,
                "connections": 3,
                "last_received_us": 7_195 * SECOND,
                "kernel_drops": 7,
                "errors": 1,
            },
            "ledger": {"received": 4_990, "unparsed": 4, "quarantined": 1, "last_received_us": 1},
        },
        "bigsec.watch": {
            "meters": None,
            "ledger": {"received": 1, "unparsed": 0, "quarantined": 0, "last_received_us": SECOND},
        },
    },
}


def shown(status: dict[str, Any], **more: Any) -> str:
    stream = io.StringIO()
    Console(file=stream, width=120, no_color=True, highlight=False).print(view(status, **more))
    return stream.getvalue()


def test_what_counts_stands_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGSEC_LANG", "en")
    told = shown(STATUS, rates={"fw": 12.5})
    for part in (
        "● well",
        "for 2 h",
        "5,000 records · 5.0 MiB · segments: 2",
        "10 records behind",
        "4,000 records, 10 s ago",
        "/mnt has – records",
        "1.0 TiB free, full in 12 h",
        "12.5",
    ):
        assert part in told
    assert "\x1b" not in told


def test_what_ails_it_comes_with_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGSEC_LANG", "zh_CN")
    reason = {"what": "no space", "code": "BS5002", "mend": "free some"}
    told = shown(STATUS | {"health": {"state": "degraded", "reasons": [reason]}})
    assert "● 降级" in told
    assert "✗ no space [BS5002]" in told
    assert "free some" in told


def test_an_unsigned_young_log_on_an_unknown_disk_is_shown_too() -> None:
    bare = STATUS["log"] | {"checkpoint": None, "keeper": None}
    assert shown(STATUS | {"log": bare, "disk": None, "sources": {}})


def test_rates_lie_between_two_looks_and_a_restart_is_no_negative_rate() -> None:
    def at(now_s: int, records: int) -> dict[str, Any]:
        meters = {"fw": {"meters": {"records": records}}, "gone": {"meters": None}}
        return {"now_us": now_s * SECOND, "sources": meters}

    assert rates(at(0, 10), at(2, 30)) == {"fw": 10.0}
    assert rates(at(0, 10), at(2, 3)) == {"fw": 0.0}
    assert rates(at(2, 10), at(2, 30)) == {}


def test_sizes_and_ages() -> None:
    assert [shown_bytes(one) for one in (0, 1023, 1536, 2**50)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "1024.0 TiB",
    ]
    assert shown_age(None) == "–"
