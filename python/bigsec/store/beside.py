"""Writing to the store of a folder beside whoever else works there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bigsec.errors import StoreLockedError
from bigsec.store.database import Store
from bigsec.store.lock import FolderLock
from bigsec.store.opening import open_store

__all__ = ["written_beside"]


@contextmanager
def written_beside(folder: str | os.PathLike[str], *, create: bool) -> Iterator[Store]:
    """The store of a folder, to write a little to.

    A scan replaces the store by a copy that it took when it began: what is written meanwhile would
    be lost, and a revoked token would hold again. So both take the folder's lock. A daemon keeps
    its store in its place. Raises StoreLockedError while a scan writes.
    """
    path = Path(folder)
    if not create:
        open_store(path).close()  # Where there is none, say so, and leave no lock file behind.
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FolderLock(path)
    try:
        lock.take()
    except StoreLockedError:
        # There SQLite's own locks are enough.
        if not lock.held_live:
            raise
    try:
        with open_store(path, create=create) as store:
            yield store
    finally:
        lock.drop()
