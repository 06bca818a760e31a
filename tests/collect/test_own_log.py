"""The daemon's log of itself: one JSON object a line, whatever is in it."""

from __future__ import annotations

import io
import json

from bigsec.collect.own_log import OwnLog
from bigsec.errors import ConfigError, Problem


def test_each_entry_is_one_line_of_json() -> None:
    stream = io.StringIO()
    log = OwnLog(stream)
    log.info("daemon.started", "a\nb\x1b[31m\u2028\udc80", sources=2)
    log.error("x", "y" * 10_000)
    lines = stream.getvalue().split("\n")[:-1]
    first, second = map(json.loads, lines)
    assert first["text"] == "a\nb\x1b[31m\u2028\udc80"
    assert (first["level"], first["code"], first["sources"]) == ("info", "daemon.started", 2)
    assert first["time"].endswith("Z")
    assert len(second["text"]) == 2_000


def test_every_fault_of_an_error_is_an_entry() -> None:
    stream = io.StringIO()
    faults = tuple(Problem("BS4205", "config.bad_value", f"m{n}", file="f", line=n) for n in (1, 2))
    OwnLog(stream).failed(ConfigError("BS4205", "config.bad_value", "m", faults))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(one["code"], one["number"], one["line"]) for one in lines] == [
        ("config.bad_value", "BS4205", 1),
        ("config.bad_value", "BS4205", 2),
    ]


def test_a_stream_that_is_gone_stops_nothing() -> None:
    stream = io.StringIO()
    stream.close()
    OwnLog(stream).info("a", "b")
