"""One writer a folder: a lock that the operating system drops when its holder dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from bigsec.store.faults import locked

__all__ = ["LOCK_NAME", "FolderLock", "holder_in"]

LOCK_NAME: Final = ".lock"
LIVE: Final = b" live"


class FolderLock:
    """Holds a folder's lock from `take` to `drop`.

    The file stays: who removed it could remove the one that the next process has just locked. The
    process id in it is for messages, and the word behind it says that the holder keeps the store as
    it is and writes to it in transactions, so that others may too.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        self._place = str(folder)
        self._handle: int | None = None
        self.held_live = False
        """After a `take` that was refused: whether who has it writes in transactions."""

    def take(self, *, live: bool = False) -> None:
        """Take the lock, or raise StoreLockedError that names who has it.

        live: the store stays in its place while the lock is held.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(self._path, flags, 0o600)
        try:
            if not _try_lock(handle):
                pid, self.held_live = holder_in(handle)
                raise locked(self._place, pid)
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, b"%d%s\n" % (os.getpid(), LIVE if live else b""))
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle

    @staticmethod
    def is_held(handle: int) -> bool:
        """Whether another holds the lock of an open lock file; it is not taken."""
        if not _try_lock(handle):
            return True
        _unlock(handle)
        return False

    def drop(self) -> None:
        """Give the lock back, if it is held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def holder_in(handle: int) -> tuple[int | None, bool]:
    """The process that a lock file names, and whether it writes in transactions."""
    os.lseek(handle, 0, os.SEEK_SET)
    text = os.read(handle, 30).strip()
    live = text.endswith(LIVE)
    text = text.removesuffix(LIVE)
    return int(text) if text.isdigit() else None, live


if sys.platform == "win32":
    import msvcrt

    _FAR: Final = 1 << 30
    """A byte far behind the text, so that the process id stays readable."""

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, _FAR, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        # `flock` and not `lockf`: its lock belongs to the open file, so a second scan in the same
        # process is refused too, and closing another descriptor does not drop it.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
