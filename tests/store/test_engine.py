"""Connections are set as the store needs them, whatever SQLite is there."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
import warnings
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert, text

from bigsec.store import engine as engine_module
from bigsec.store import open_store
from bigsec.store.engine import Pragmas, make_engine, sqlite_module, wal_is_safe
from bigsec.store.model import EventRow
from bigsec.store.opening import sqlite_url

BATCH = 10


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 51, 3), True),
        ((3, 51, 2), False),
        ((3, 53, 0), True),
        ((4, 0, 0), True),
        ((3, 50, 7), True),
        ((3, 50, 6), False),
        ((3, 44, 6), True),
        ((3, 44, 5), False),
        ((3, 45, 9), False),
        ((3, 40, 1), False),
    ],
)
def test_wal_is_used_only_where_its_fault_is_fixed(
    version: tuple[int, int, int], safe: bool
) -> None:
    assert wal_is_safe(version) is safe


def test_a_new_store_is_in_wal_mode(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store, store.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 10_000


def test_an_old_sqlite_gets_a_rollback_journal_a_full_flush_and_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(tmp_path, create=True):
        pass
    monkeypatch.setattr(engine_module, "sqlite_version", lambda: (3, 40, 1))
    with pytest.warns(RuntimeWarning, match=r"SQLite 3\.40\.1 can lose a commit in WAL mode"):
        store = open_store(tmp_path)
    with store, store.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "truncate"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_sound_sqlite_gives_no_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_store(tmp_path, create=True).close()


def test_the_dialect_takes_the_sqlite_of_the_wheel(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite+pysqlite3:///{tmp_path / 'other.db'}")
    with engine.connect() as connection:
        version = connection.execute(text("SELECT sqlite_version()")).scalar()
    assert version == sqlite_module().sqlite_version


def test_tables_made_in_a_transaction_that_is_undone_are_gone(tmp_path: Path) -> None:
    engine = make_engine(sqlite_url(str(tmp_path / "a.db")), Pragmas())
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("CREATE TABLE half (a)"))
        transaction.rollback()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM sqlite_schema")).scalar() == 0


def test_writers_killed_while_four_write_leave_a_sound_store(tmp_path: Path) -> None:
    seed = time.time_ns()
    print("seed", seed)
    chance = random.Random(seed)  # noqa: S311  # When to kill is no secret.
    open_store(tmp_path, create=True).close()
    for number in range(20):
        writers = [_writer(tmp_path, f"{number:02}{letter}") for letter in "abcd"]
        time.sleep(chance.uniform(0.02, 0.12))
        for writer in writers:
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
        with open_store(tmp_path) as store, store.read() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).all() == [("ok",)]
            counts = connection.execute(text("SELECT count(*) FROM event GROUP BY source")).all()
            assert {count % BATCH for (count,) in counts} <= {0}
    assert counts


def _writer(folder: Path, mark: str) -> int:
    """A process that writes events in batches until it is killed."""
    child = os.fork()
    if child:
        return child
    with open_store(folder) as store:
        for number in itertools.count():
            rows = [
                {
                    "event_id": f"{mark}{number:025}{one:04}",
                    "time_effective_us": number,
                    "source": mark,
                    "parser": "none",
                    "ocsf": "{}",
                }
                for one in range(BATCH)
            ]
            with store.write() as connection:
                connection.execute(insert(EventRow), rows)
    os._exit(1)
