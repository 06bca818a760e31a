"""The output folder of a scan: one writer, and its store is replaced as a whole or not at all.

While a scan runs, it writes a copy of the folder's store under another name. `commit` flushes that
copy and renames it over the old one, so that a reader, a crash, a full disk or `kill -9` sees
either what stood there before or all of what the scan found.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from bigsec.store.database import Store
from bigsec.store.engine import BUSY_TIMEOUT_MS, Pragmas, sqlite_module
from bigsec.store.faults import faults, locked
from bigsec.store.lock import FolderLock
from bigsec.store.opening import FILE_NAME, is_store, make_private, open_file

__all__ = ["OutputFolder"]

NEW_NAME: Final = ".bigsec.db.new"
"""One name: only the holder of the folder's lock makes it, so what has it without the lock being
held was left by a process that died."""

_BESIDE: Final = ("", "-journal", "-wal", "-shm")
_BACKUP_PAGES: Final = 16_384
"""Pages copied in one step (64 MiB): another reader of the old store waits no longer than that."""


class OutputFolder:
    """A folder whose store a scan brings up to date. Use it as a context manager.

        with OutputFolder("out") as output:
            record(output.store, signals, events)
            output.commit()

    Leaving without `commit` leaves the old store as it was. The new store is readable by the owner
    alone, or by whom the old one was. Raises StoreLockedError where another scan has the folder,
    StoreFullError where the disk is full, StoreVersionError and StoreError for an old store that
    cannot be taken over.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._database = self.path / FILE_NAME
        self._new = self.path / NEW_NAME
        self._lock = FolderLock(self.path)
        self._store: Store | None = None

    @property
    def store(self) -> Store:
        """The store to write to: a copy of the old one, or an empty one."""
        if self._store is None:
            raise RuntimeError("the output folder is not open: use it in a `with` block")
        return self._store

    def __enter__(self) -> Self:
        with faults(str(self.path), writes=True), ExitStack() as undo:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.take()
            undo.callback(self._lock.drop)
            self._clean()
            undo.callback(self._clean)
            make_private(self._new)
            if is_store(self._database):
                self._copy_old()
            # Nothing reads this file before it is flushed as a whole, so it needs no journal on
            # the disk: a process that dies leaves it to be thrown away.
            self._store = open_file(self._new, Pragmas(journal="MEMORY", durable=False))
            self._store.place = str(self._database)
            undo.pop_all()
        return self

    def commit(self) -> None:
        """Put the store in the place of the old one, for good. The store is closed after."""
        self.store.close()
        self._store = None
        with faults(str(self.path), writes=True):
            _set_rollback_journal(self._new)
            _flush(self._new)
            with _nobody_writes(self._database):
                os.replace(self._new, self._database)
            _flush_folder(self.path)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._store is not None:
                self._store.close()
                self._store = None
            self._clean()
        finally:
            self._lock.drop()

    def _clean(self) -> None:
        for suffix in _BESIDE:
            self._new.with_name(NEW_NAME + suffix).unlink(missing_ok=True)

    def _copy_old(self) -> None:
        _set_rollback_journal(self._database)
        module = sqlite_module()
        old = module.connect(str(self._database), timeout=BUSY_TIMEOUT_MS / 1000)
        new = module.connect(str(self._new))
        try:
            new.execute("PRAGMA synchronous = OFF")
            old.backup(new, pages=_BACKUP_PAGES)
        finally:
            new.close()
            old.close()
        self._new.chmod(self._database.stat().st_mode & 0o777)


def _set_rollback_journal(path: Path) -> None:
    """Take a database out of WAL mode.

    A log left beside the old database would be replayed into the new one that takes its name.
    Raises StoreLockedError where another process has a WAL database open.
    """
    connection = _connect(path)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != "delete":
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        if mode != "delete":
            raise locked(str(path))
    finally:
        connection.close()


@contextmanager
def _nobody_writes(path: Path) -> Iterator[None]:
    """Keep every other process from being in the middle of a write while the file is replaced.

    The journal of such a write would be taken for the new database's. Afterwards SQLite itself
    refuses a writer that still has the old file open ("database file has been moved").
    """
    if not path.exists() or sys.platform == "win32":
        yield
        return
    connection = _connect(path)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


def _connect(path: Path) -> Any:
    module = sqlite_module()
    return module.connect(str(path), timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_folder(path: Path) -> None:
    if sys.platform == "win32":
        return  # Windows has no handle of a folder to flush; the rename is in its journal.
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
