"""The store of a running daemon: one writer, open for as long as it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bigsec.errors import StoreError
from bigsec.store.database import Store
from bigsec.store.faults import faults
from bigsec.store.lock import LOCK_NAME, FolderLock, holder_in
from bigsec.store.opening import FILE_NAME, open_store

__all__ = ["LiveStore", "live_store", "writer_of"]

BROKEN: Final = "BS3105"
ASIDE: Final = "damaged"
_BESIDE: Final = ("", "-journal", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class LiveStore:
    """An open store. moved: what was damaged and is kept aside; the store was made anew then."""

    store: Store
    moved: tuple[Path, ...]


@contextmanager
def live_store(folder: Path) -> Iterator[LiveStore]:
    """Open the store of a folder for its one writer.

    A broken one is moved aside, never deleted: it is a view of the log and is made again from it.
    Raises StoreLockedError where another process writes, StoreVersionError for a newer one.
    """
    with faults(str(folder), writes=True):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FolderLock(folder)
        lock.take(live=True)
    try:
        store, moved = _open(folder)
        try:
            with store:
                yield LiveStore(store, moved)
        except StoreError as error:
            # Damage that opening did not meet would be met again after every restart.
            if error.code == BROKEN:
                with faults(str(folder), writes=True):
                    _move_aside(folder)
            raise
    finally:
        lock.drop()


def writer_of(folder: Path) -> int | None:
    """The process that writes to a folder's store, where one does."""
    path = folder / LOCK_NAME
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        if not FolderLock.is_held(handle):
            return None
        return holder_in(handle)[0]
    finally:
        os.close(handle)


def _open(folder: Path) -> tuple[Store, tuple[Path, ...]]:
    before = () if (folder / FILE_NAME).exists() else _last_moved(folder)
    try:
        store = open_store(folder, create=True)
        try:
            _ = store.key  # read now, so that a garbled one is found before anything is recorded
        except BaseException:
            store.close()
            raise
        return store, before
    except StoreError as error:
        if error.code != BROKEN:
            raise
        with faults(str(folder), writes=True):
            moved = _move_aside(folder)
        if not moved:
            raise
    return open_store(folder, create=True), moved


def _last_moved(folder: Path) -> tuple[Path, ...]:
    """What an earlier run moved aside when it ended, where no store was made since."""
    found = sorted((folder / ASIDE).glob(f"*-{FILE_NAME}*"))
    stamp = found[-1].name.split("-")[0] if found else ""
    return tuple(path for path in found if path.name.startswith(stamp))


def _move_aside(folder: Path) -> tuple[Path, ...]:
    aside = folder / ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    moved = []
    # The log of a database goes with it: replayed into the new one, it would break that too.
    for suffix in _BESIDE:
        path = folder / (FILE_NAME + suffix)
        if os.path.lexists(path):
            target = aside / f"{stamp}-{path.name}"
            os.rename(path, target)
            moved.append(target)
    return tuple(moved)
