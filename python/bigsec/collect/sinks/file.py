"""A sink that writes events to a file, each line once.

The position holds how long the file was: what a process that died wrote behind that is cut off and
written again.
"""

from __future__ import annotations

import os
from typing import Any, Final

from bigsec.collect.settings import FileSink
from bigsec.collect.sinks.position import Position

__all__ = ["FileWriter"]

MODE: Final = 0o640


class FileWriter:
    """Appends lines to a file and rotates it by size."""

    def __init__(self, settings: FileSink, before: Position | None) -> None:
        self._settings = settings
        self._file = self._open()
        size = os.fstat(self._file).st_size
        confirmed = size if before is None else self._confirmed(before)
        if size > confirmed:
            os.ftruncate(self._file, confirmed)
        elif before is None and size:
            self._end_line(size)

    def deliver(self, events: Any, first: int, after: int) -> None:
        """Write a line an event and flush; after an error nothing of them stands in the file."""
        lines: bytes = b"" if events is None else events.to_ndjson()
        if not lines:
            return
        size = os.fstat(self._file).st_size
        if size and size + len(lines) > self._settings.rotate_bytes:
            self._rotate()
            size = 0
        try:
            _write_all(self._file, lines)
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, size)
            raise

    def begin(self, known: Position | None) -> Position | None:
        """Where it was."""
        return known

    def is_due(self) -> bool:
        """Nothing is gathered."""
        return False

    def mark(self, position: Position) -> Position:
        """The position with what this file is now."""
        status = os.fstat(self._file)
        return Position(position.log, position.sequence, status.st_size, status.st_ino)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _confirmed(self, before: Position) -> int:
        """How much of the file stands before the position; all of one that is not ours."""
        status = os.fstat(self._file)
        if status.st_ino == before.inode:
            return before.size
        try:
            was_rotated = os.stat(f"{self._settings.path}.1").st_ino == before.inode
        except FileNotFoundError:
            was_rotated = False
        return 0 if was_rotated else status.st_size

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self._settings.path, flags, MODE)

    def _end_line(self, size: int) -> None:
        """A line that somebody else left without its end must not swallow our first one."""
        if os.pread(self._file, 1, size - 1) != b"\n":
            _write_all(self._file, b"\n")

    def _rotate(self) -> None:
        path, last = self._settings.path, self._settings.keep_files
        for number in range(last - 1, 0, -1):
            if os.path.exists(f"{path}.{number}"):
                os.replace(f"{path}.{number}", f"{path}.{number + 1}")
        os.replace(path, f"{path}.1")
        os.close(self._file)
        self._file = self._open()


def _write_all(file: int, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(file, rest) :]
