"""The one way to a database: the dialect `sqlite+pysqlite3` and what each connection is set to.

The dialect takes the SQLite that the `pysqlite3` wheel brings, and Python's own where there is no
wheel. Importing this module registers it, so that every SQLAlchemy engine of the process can name
it.
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import Pool

__all__ = [
    "DRIVER",
    "Journal",
    "Pragmas",
    "SQLite",
    "make_engine",
    "sqlite_module",
    "sqlite_version",
    "wal_is_safe",
    "writing",
]

DRIVER: Final = "sqlite+pysqlite3"

Journal = Literal["WAL", "TRUNCATE", "DELETE", "MEMORY"]

BUSY_TIMEOUT_MS: Final = 10_000
"""How long a statement waits for another process: longer than any write of ours holds its lock."""

CACHE_KIB: Final = 65_536
"""Page cache of one connection."""

_WAL_SAFE_SINCE: Final = (3, 51, 3)
_WAL_SAFE_LINES: Final = {(3, 50): 7, (3, 44): 6}
_WRITE: Final = "bigsec_write"


def sqlite_module() -> Any:
    """The DB-API module: `pysqlite3` where its wheel is installed, else the standard library's."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3.dbapi2")


def sqlite_version() -> tuple[int, int, int]:
    """Version of the SQLite library in use."""
    major, minor, patch = sqlite_module().sqlite_version_info
    return major, minor, patch


def wal_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite has the fix of the fault that can lose a commit in WAL mode.

    Source: sqlite.org/wal.html, "The WAL-reset bug": fixed in 3.51.3, and in 3.50.7 and 3.44.6.
    """
    if version >= _WAL_SAFE_SINCE:
        return True
    patch = _WAL_SAFE_LINES.get(version[:2])
    return patch is not None and version[2] >= patch


class SQLite(SQLiteDialect_pysqlite):
    """SQLAlchemy's SQLite dialect over `sqlite_module()`."""

    driver = "pysqlite3"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        """The DB-API module of this dialect."""
        return sqlite_module()


registry.register("sqlite.pysqlite3", __name__, "SQLite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pragmas:
    """How the connections of one engine treat a SQLite file.

    journal: mode to bring the file to; None leaves it as it is.
    durable: False only for a file that nobody reads before it is flushed as a whole.
    read_only: nothing will be written, not even to mend the journal mode.
    """

    journal: Journal | None = None
    durable: bool = True
    read_only: bool = False


def make_engine(url: URL, pragmas: Pragmas, *, poolclass: type[Pool] | None = None) -> Engine:
    """An engine whose SQLite connections have their pragmas and real transactions."""
    version = sqlite_version()
    if not wal_is_safe(version) and not pragmas.read_only:
        pragmas = _without_wal(pragmas, version)
    engine = create_engine(
        url,
        poolclass=poolclass,
        connect_args={"check_same_thread": False},
        hide_parameters=True,  # They are raw records and secrets, and messages travel.
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        _set_pragmas(connection, pragmas)

    # The driver's own transactions leave DDL outside: a migration killed half-way would stay
    # half-way. With `isolation_level` None it keeps out, and this alone begins them.
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def writing(engine: Engine) -> Engine:
    """The same engine, whose transactions take the write lock when they begin.

    A transaction that reads first and locks later can be refused half-way by SQLite.
    """
    return engine.execution_options(**{_WRITE: True})


def _without_wal(pragmas: Pragmas, version: tuple[int, int, int]) -> Pragmas:
    text = ".".join(map(str, version))
    warnings.warn(
        f"SQLite {text} can lose a commit in WAL mode; the store is written without it, which is "
        "slower with many writers. Install the package pysqlite3, or SQLite 3.51.3 or newer.",
        RuntimeWarning,
        stacklevel=3,
    )
    return pragmas if pragmas.journal == "MEMORY" else replace(pragmas, journal="TRUNCATE")


def _set_pragmas(connection: Any, pragmas: Pragmas) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA trusted_schema = OFF")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if pragmas.journal is not None:
            cursor.execute(f"PRAGMA journal_mode = {pragmas.journal}")
        cursor.execute("PRAGMA journal_mode")
        mode = cursor.fetchone()[0].upper()
        # NORMAL keeps a WAL database whole through a power cut; the other modes need FULL.
        level = "OFF" if not pragmas.durable else "NORMAL" if mode == "WAL" else "FULL"
        cursor.execute(f"PRAGMA synchronous = {level}")
    finally:
        cursor.close()
