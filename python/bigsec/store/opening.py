"""Opening stores: in a folder, in a file, behind a URL, or for the length of one run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, make_url
from sqlalchemy.pool import NullPool, StaticPool

from bigsec.store.database import Store
from bigsec.store.engine import DRIVER, Pragmas, make_engine
from bigsec.store.faults import broken, faults, missing, unsupported
from bigsec.store.upgrade import check, revision_of, upgrade

__all__ = ["FILE_NAME", "is_store", "memory_store", "open_file", "open_store", "sqlite_url"]

FILE_NAME: Final = "bigsec.db"
_FILE_SUFFIXES: Final = (".db", ".sqlite", ".sqlite3")
_SQLITE_HEADER: Final = b"SQLite format 3\x00"


def open_store(location: str | os.PathLike[str], *, create: bool = False) -> Store:
    """Open a store and bring it to this version's tables.

    location: a folder (its `bigsec.db`), a database file, or a SQLite URL.
    create: make it where it is missing. A new one is made for one writer and many readers at a
        time (WAL); an existing one keeps its journal mode.
    Raises StoreError (BS3104 where there is none, BS3105 where it is broken) and
    StoreVersionError where a newer version wrote it, of which not a byte is changed then.
    """
    path = _path_of(os.fspath(location))
    place = str(path)
    with faults(place):
        exists = is_store(path)
        if not exists and not create:
            raise missing(place)
        if not exists:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            make_private(path)
        return open_file(path, Pragmas(journal=None if exists else "WAL"))


def memory_store() -> Store:
    """A store for one run: nothing of it is left after `close`, or when the process dies.

    It lies in an unnamed temporary file, not in memory: the raw records of a large scan would not
    fit there, and the SQLite of the `pysqlite3` wheel keeps its own temporary databases in memory.
    """
    handle, name = tempfile.mkstemp(prefix="bigsec-", suffix=".db")
    os.close(handle)
    try:
        engine = make_engine(
            sqlite_url(name), Pragmas(journal="MEMORY", durable=False), poolclass=StaticPool
        )
        with faults("the temporary store"):
            engine.connect().close()
    finally:
        if os.name == "posix":
            os.unlink(name)
    store = Store(engine, "the temporary store")
    with faults(store.place):
        upgrade(engine, store.place)
    return store


def open_file(path: Path, pragmas: Pragmas) -> Store:
    """A store over a SQLite file that may be empty, brought to this version's tables."""
    engine = make_engine(sqlite_url(str(path)), pragmas)
    try:
        with faults(str(path)):
            upgrade(engine, str(path))
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, str(path))


def is_store(path: Path) -> bool:
    """Whether a store stands at a path; what is wrong with it is raised.

    Not a byte changes, of it or beside it. A file that is empty, or a database without tables, is
    what is left of a process that died while it made a store: it is none yet.
    """
    place = str(path)
    if not path.exists():
        return False
    if not path.is_file():
        raise broken(place, "it is not a file")
    with path.open("rb") as file:
        beginning = file.read(len(_SQLITE_HEADER))
    if not beginning:
        return False
    if beginning != _SQLITE_HEADER:
        raise broken(place, "it is not a SQLite database")
    engine = make_engine(_read_only_url(path), Pragmas(read_only=True), poolclass=NullPool)
    with faults(place), engine.connect() as connection:
        revision = revision_of(connection, place)
    if revision is not None:
        check(revision, place)
    return revision is not None


def _path_of(location: str) -> Path:
    if "://" in location:
        url = make_url(location)
        if url.get_backend_name() != "sqlite" or not url.database:
            raise unsupported(url.render_as_string(hide_password=True))
        return Path(url.database)
    path = Path(location)
    named = path.is_file() or path.suffix in _FILE_SUFFIXES
    return path if named and not path.is_dir() else path / FILE_NAME


def make_private(path: Path) -> None:
    """Make an empty file that only its owner can read: raw records can hold anything."""
    flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(path, flags, 0o600))


def sqlite_url(path: str) -> URL:
    """The URL of a SQLite file."""
    return URL.create(DRIVER, database=path)


def _read_only_url(path: Path) -> URL:
    # A reader of a WAL database makes two files beside it, even when it only reads. Where no
    # process has left a log or a journal, the file alone is the whole truth and can be read as one
    # that stands still. A journal may be of a writer that died: then SQLite must mend first.
    if _has_content(path.with_name(path.name + "-journal")):
        options = {"mode": "rw"}
    elif _has_content(path.with_name(path.name + "-wal")):
        options = {"mode": "ro"}
    else:
        options = {"mode": "ro", "immutable": "1"}
    place = f"file:{quote(str(path.absolute()))}"
    return URL.create(DRIVER, database=place, query={"uri": "true", **options})


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
