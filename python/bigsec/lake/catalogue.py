"""The list of a lake's files: which there are, what they cover, and how far each log has come.

One SQLite file. A file counts from the moment that its row is committed, together with the place in
the log that it brings the lake to; so an event is in the lake once, whatever died when.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bigsec.errors import LakeError
from bigsec.store.engine import sqlite_module

__all__ = ["Catalogue", "LakeFile"]

FORMAT: Final = 1
NAME: Final = "catalogue.sqlite3"
BUSY_S: Final = 30.0
"""How long one process waits for another's commit, which takes milliseconds."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS progress (log TEXT PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS file (
    path TEXT PRIMARY KEY,
    day TEXT NOT NULL,
    class_uid INTEGER NOT NULL,
    level INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    time_first INTEGER NOT NULL,
    time_last INTEGER NOT NULL,
    removed_us INTEGER
);
CREATE INDEX IF NOT EXISTS file_by_time ON file (time_first, time_last) WHERE removed_us IS NULL;
CREATE INDEX IF NOT EXISTS file_by_day ON file (day, class_uid, level) WHERE removed_us IS NULL;
INSERT OR IGNORE INTO meta VALUES ('format', '1');
"""
_FIELDS: Final = "path, day, class_uid, level, rows, bytes, time_first, time_last"


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A file of events of one class that were received on one day.

    path: below the lake's folder. day: of receipt, UTC. level: how often its events were merged.
    time_first, time_last: least and greatest `time_effective`, µs UTC, inclusive.
    """

    path: str
    day: str
    class_uid: int
    level: int
    rows: int
    bytes: int
    time_first: int
    time_last: int


class Catalogue:
    """A lake's catalogue. Threads may share it; each call is a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        with self._read() as link:
            # One that is being made at this moment has none yet.
            tables = link.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'")
            if not tables.fetchone()[0]:
                raise LakeError("BS3205", "lake.none", f"{folder}: no lake stands here")
            row = link.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
        found = "none" if row is None else str(row[0])
        if not found.isdigit() or int(found) > FORMAT:
            told = f"{self._path}: the lake has format {found}, this version knows {FORMAT}"
            raise LakeError("BS3202", "lake.version", told)

    @classmethod
    def make(cls, folder: Path) -> Catalogue:
        """The catalogue of a folder, made where there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        with _opened(folder / NAME) as link:
            link.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
        return cls(folder)

    def files(self, since_us: int | None = None, until_us: int | None = None) -> list[LakeFile]:
        """The files that may have events with `time_effective` in [since, until), latest first."""
        sql = f"SELECT {_FIELDS} FROM file WHERE removed_us IS NULL"  # noqa: S608  # own words
        values: list[int] = []
        if since_us is not None:
            sql += " AND time_last >= ?"
            values.append(since_us)
        if until_us is not None:
            sql += " AND time_first < ?"
            values.append(until_us)
        with self._read() as link:
            found = link.execute(f"{sql} ORDER BY time_last DESC, path", values).fetchall()
        return [LakeFile(*row) for row in found]

    def progress(self, log: str) -> int:
        """The sequence before which all records of a log are here; -1 where none is."""
        with self._read() as link:
            row = link.execute("SELECT next FROM progress WHERE log = ?", (log,)).fetchone()
        return -1 if row is None else int(row[0])

    def add(self, files: Iterable[LakeFile], log: str, after: int) -> None:
        """Take in files, and with them a log's progress."""
        with self._write() as link:
            self._insert(link, files)
            link.execute(
                "INSERT INTO progress VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET next = ?",
                (log, after, after),
            )

    def replace(self, old: Iterable[LakeFile], new: Iterable[LakeFile]) -> bool:
        """Put files in the place of others; False where another has done something to those."""
        paths = [file.path for file in old]
        with self._write() as link:
            marked = self._remove(link, paths)
            if marked != len(paths):
                link.rollback()
                return False
            self._insert(link, new)
        return True

    def expire(self, before: str) -> list[LakeFile]:
        """Let go of files of days of receipt before this one; gives them."""
        sql = f"SELECT {_FIELDS} FROM file WHERE removed_us IS NULL AND day < ?"  # noqa: S608
        with self._write() as link:
            found = [LakeFile(*row) for row in link.execute(sql, (before,)).fetchall()]
            self._remove(link, [file.path for file in found])
        return found

    def removed(self, until_us: int) -> list[str]:
        """Paths of files that were let go of before this moment."""
        with self._read() as link:
            sql = "SELECT path FROM file WHERE removed_us < ?"
            return [str(path) for (path,) in link.execute(sql, (until_us,)).fetchall()]

    def forget(self, paths: Iterable[str]) -> None:
        """Strike files that are gone from the list."""
        with self._write() as link:
            link.executemany("DELETE FROM file WHERE path = ?", [(path,) for path in paths])

    def known(self) -> set[str]:
        """Paths of all files in the list."""
        with self._read() as link:
            return {str(path) for (path,) in link.execute("SELECT path FROM file").fetchall()}

    def _insert(self, link: Any, files: Iterable[LakeFile]) -> None:
        rows = [tuple(getattr(file, name) for name in LakeFile.__slots__) for file in files]
        link.executemany(
            f"INSERT INTO file ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            rows,
        )

    def _remove(self, link: Any, paths: list[str]) -> int:
        now = time.time_ns() // 1_000
        marked = 0
        for path in paths:
            done = link.execute(
                "UPDATE file SET removed_us = ? WHERE path = ? AND removed_us IS NULL", (now, path)
            )
            marked += done.rowcount
        return marked

    @contextmanager
    def _read(self) -> Iterator[Any]:
        with _opened(self._path) as link:
            yield link

    @contextmanager
    def _write(self) -> Iterator[Any]:
        with _opened(self._path) as link:
            link.execute("BEGIN IMMEDIATE")
            yield link
            if link.in_transaction:
                link.execute("COMMIT")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    sqlite = sqlite_module()
    try:
        link = sqlite.connect(os.fspath(path), timeout=BUSY_S, isolation_level=None)
        try:
            # One file, no shared memory: also right on SQLite versions whose WAL is not.
            link.execute("PRAGMA journal_mode = TRUNCATE")
            link.execute("PRAGMA synchronous = FULL")
            yield link
        finally:
            link.close()
    except sqlite.Error as error:
        raise LakeError("BS3203", "lake.broken", f"{path}: {error}") from error
