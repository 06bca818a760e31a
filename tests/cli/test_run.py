"""What `bigsec run` ends with, and what it says at its start."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from bigsec.cli import run
from bigsec.cli.exits import Exit
from bigsec.errors import (
    BigsecError,
    ConfigError,
    EvidenceError,
    PackError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreVersionError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("BS4205", "config.bad_value", ""), 78),
        (PackError("BS2201", "pack.invalid", ""), 78),
        (StoreVersionError("BS3101", "store.version", ""), 78),
        (StoreError("BS3105", "store.broken", ""), 69),
        (EvidenceError("BS5005", "log.newer", ""), 78),
        (EvidenceError("BS5006", "log.other", ""), 78),
        (EvidenceError("BS5003", "log.locked", ""), 69),
        (EvidenceError("BS5002", "log.full", ""), 69),
        (StoreLockedError("BS3102", "store.locked", ""), 69),
        (StoreFullError("BS3103", "store.full", ""), 69),
    ],
)
def test_p16_only_what_waiting_mends_is_tried_again(error: BigsecError, code: int) -> None:
    assert run._exit(error) == Exit(code)


def test_p15_an_old_sqlite_is_told_and_written_without_wal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import warnings

    from bigsec.collect import service
    from bigsec.collect.loading import load
    from bigsec.collect.own_log import OwnLog
    from bigsec.store import engine

    journals: list[str] = []

    class Service:
        """Looks at the store and ends."""

        def __init__(self, loaded: Any, live: Any, *_: Any, **__: Any) -> None:
            with live.store.read() as connection:
                journals.append(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
                journals.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())

        def run(self) -> None:
            pass

    monkeypatch.setattr(engine, "sqlite_version", lambda: (3, 40, 1))
    monkeypatch.setattr(service, "Service", Service)
    (tmp_path / "b.toml").write_text(f'data_dir = "{tmp_path}/data"\n')
    loaded = load([str(tmp_path / "b.toml")], environ={})
    stream = io.StringIO()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", RuntimeWarning)
        wishes: Any = None
        assert run._serve(loaded, wishes, OwnLog(stream), None, warned) == Exit.DONE
    assert journals == ["truncate", 2]
    entries = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {one["code"] for one in entries} == {"store.sqlite_old"}
    assert "3.40.1" in entries[0]["text"]


def test_an_entry_for_people_is_one_line_that_steers_no_terminal() -> None:
    entry = {
        "time": "2026-11-25T02:00:00.000Z",
        "level": "warning",
        "code": "x",
        "text": "a\nb\x1b[31m",
        "subject": "fw",
    }
    line = run._line(entry)
    assert "\n" not in line
    assert "\x1b" not in line
    assert line.endswith("subject=fw")
