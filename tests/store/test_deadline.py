"""Queries that run for too long are stopped, and only those."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bigsec.store import is_overdue, open_store, stop_reads_after

ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
)


def test_an_endless_query_ends(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        stop_reads_after(store, 0.2)
        begun = time.monotonic()
        with pytest.raises(DBAPIError) as caught, store.read() as connection:
            connection.execute(ENDLESS)
        assert is_overdue(caught.value)
        assert time.monotonic() - begun < 5


def test_a_wrong_statement_is_not_overdue(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        stop_reads_after(store, 60)
        with pytest.raises(DBAPIError) as caught, store.read() as connection:
            connection.execute(text("SELECT nothing FROM nowhere"))
        assert not is_overdue(caught.value)


def test_what_is_quick_is_let_be(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        stop_reads_after(store, 60)
        assert store.known_files() == []
