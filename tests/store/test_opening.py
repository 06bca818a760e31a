"""Stores open, or say what is wrong and what to do, and change nothing."""

from __future__ import annotations

import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from bigsec.errors import StoreError, StoreVersionError
from bigsec.store import ScannedFile, memory_store, open_store
from bigsec.store.engine import sqlite_module
from bigsec.store.model import IncidentNumberRow

FILE = ScannedFile("ab" * 32, 0, 70_000, "cd" * 32, "/var/log/auth.log")


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["", "store.db", "store.sqlite", "new/store.db"])
def test_a_store_is_found_again_by_folder_and_by_file(tmp_path: Path, name: str) -> None:
    with open_store(tmp_path / name, create=True) as store:
        store.remember_files([FILE])
        key = store.key
    with open_store(tmp_path / name) as store:
        assert store.known_files() == [("ab" * 32, 0, 70_000, "cd" * 32)]
        assert store.key == key


def test_a_store_is_found_by_its_url(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    with open_store(url, create=True) as store:
        store.remember_files([FILE])
    with open_store(tmp_path / "a.db") as store:
        assert len(store.known_files()) == 1


def test_another_database_is_refused_without_its_password() -> None:
    with pytest.raises(StoreError, match="keeps its stores in SQLite") as caught:
        open_store("postgresql://user:secret@db.example.org/bigsec")
    assert "secret" not in str(caught.value)


def test_a_new_store_can_be_read_by_its_owner_alone(tmp_path: Path) -> None:
    open_store(tmp_path / "new", create=True).close()
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new" / "bigsec.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["nowhere", "nowhere.db", "."])
def test_a_missing_store_is_said_so_and_not_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path / name)
    assert (caught.value.code, caught.value.name) == ("BS3104", "store.not_found")
    assert "bigsec scan" in caught.value.problems[0].mend
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_a_newer_version_is_refused_and_not_a_byte_changes(tmp_path: Path) -> None:
    for mode in ("wal", "delete"):
        folder = tmp_path / mode
        open_store(folder, create=True).close()
        connection = sqlite_module().connect(folder / "bigsec.db")
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.close()
        before = bytes_of(folder)
        with pytest.raises(StoreVersionError, match="schema 9999") as caught:
            open_store(folder, create=True)
        assert caught.value.code == "BS3101"
        assert bytes_of(folder) == before


def test_a_newer_store_that_somebody_writes_to_is_refused_too(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        with store.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert (tmp_path / "bigsec.db-wal").stat().st_size > 0
        with pytest.raises(StoreVersionError):
            open_store(tmp_path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"not a database, but long enough to be taken for one" * 100, "not a SQLite database"),
        (b"SQLite format 3\x00" + b"\xff" * 4096, "cannot be read"),
        (b"SQLite format 3\x00", "cannot be read"),
    ],
)
def test_a_broken_store_is_named_and_left_alone(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "bigsec.db").write_bytes(content)
    before = bytes_of(tmp_path)
    with pytest.raises(StoreError, match=what) as caught:
        open_store(tmp_path, create=True)
    assert caught.value.code == "BS3105"
    assert "Move it aside" in caught.value.problems[0].mend
    assert caught.value.problems[0].file == str(tmp_path / "bigsec.db")
    assert bytes_of(tmp_path) == before


def test_garbled_pages_are_an_error_of_the_store(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store, store.write() as connection:
        connection.execute(insert(IncidentNumberRow).values(year=2026, last=1))
    path = tmp_path / "bigsec.db"
    pages = path.read_bytes()
    path.write_bytes(pages[:4096] + b"\xee" * (len(pages) - 4096))
    with pytest.raises(StoreError) as caught, open_store(tmp_path) as store:
        store.known_files()
    assert caught.value.code == "BS3105"


def test_somebody_elses_database_is_never_touched(tmp_path: Path) -> None:
    connection = sqlite_module().connect(tmp_path / "bigsec.db")
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.execute("CREATE TABLE cookies (name TEXT)")
    connection.close()
    before = bytes_of(tmp_path)
    with pytest.raises(StoreError, match="not a store of bigsec"):
        open_store(tmp_path, create=True)
    assert bytes_of(tmp_path) == before


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "bigsec.db")
    with pytest.raises(StoreError):
        open_store(tmp_path)


def test_a_place_where_no_store_can_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="Not a directory") as caught:
        open_store(tmp_path / "file" / "new", create=True)
    assert caught.value.code == "BS1102"


def test_a_link_is_not_followed_to_make_a_store(tmp_path: Path) -> None:
    (tmp_path / "bigsec.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        open_store(tmp_path, create=True)
    assert not (tmp_path / "elsewhere").exists()


def test_nothing_is_left_of_a_memory_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with memory_store() as store:
        store.remember_files([FILE])
        assert len(store.known_files()) == 1
        assert list(tmp_path.iterdir()) == []
    with memory_store() as store:
        assert store.known_files() == []


def test_a_transaction_that_fails_writes_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        with suppress(RuntimeError), store.write() as connection:
            connection.execute(insert(IncidentNumberRow).values(year=2026, last=1))
            raise RuntimeError
        with store.read() as connection:
            assert connection.scalars(select(IncidentNumberRow.last)).all() == []


def test_writers_that_read_first_wait_for_each_other(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        both = threading.Barrier(2, timeout=30)

        def count_up() -> None:
            both.wait()
            with store.write() as connection:
                last = connection.scalar(select(func.max(IncidentNumberRow.last))) or 0
                time.sleep(0.05)
                connection.execute(insert(IncidentNumberRow).values(year=last, last=last + 1))

        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(count_up) for _ in range(2)]:
                done.result()
        with store.read() as connection:
            assert connection.scalar(select(func.max(IncidentNumberRow.last))) == 2


def test_messages_never_carry_what_was_written(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store, store.write() as connection:
        values = {"year": 2026, "last": 424_242}
        connection.execute(insert(IncidentNumberRow).values(**values))
        with pytest.raises(Exception, match="UNIQUE") as caught:
            connection.execute(insert(IncidentNumberRow).values(**values))
    assert "424242" not in str(caught.value)


def test_a_file_that_grew_is_known_as_it_is_now(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        store.remember_files([FILE, ("ab" * 32, 1, 10, "ef" * 32)], seen_us=1)
        store.remember_files([("ab" * 32, 0, 80_000, "01" * 32)], seen_us=2)
        assert store.known_files() == [
            ("ab" * 32, 0, 80_000, "01" * 32),
            ("ab" * 32, 1, 10, "ef" * 32),
        ]
        with store.read() as connection:
            seen = connection.execute(
                text("SELECT path, first_seen_us, last_seen_us FROM scanned_file ORDER BY ordinal")
            ).all()
        assert [tuple(row) for row in seen] == [("/var/log/auth.log", 1, 2), (None, 1, 1)]
