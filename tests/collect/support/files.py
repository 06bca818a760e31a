"""Writes numbered lines into a log file that is rotated by renaming, as logrotate does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


class NumberedFile:
    """A log file of a program; a rotation renames it to `.1`, `.2` and so on upwards."""

    def __init__(self, path: Path, make: Callable[[int], bytes]) -> None:
        self.path = path
        self.make = make
        self.next = 0
        self.rotations = 0
        self._file = path.open("ab", buffering=0)

    def write(self, count: int) -> None:
        """So many lines, in one write as a busy program makes it."""
        numbers = range(self.next, self.next + count)
        self._file.write(b"".join(self.make(number) + b"\n" for number in numbers))
        self.next = numbers.stop

    def rotate(self) -> None:
        """Rename what there is, go on in a new file of the old name."""
        self._file.close()
        self.rotations += 1
        for number in range(self.rotations - 1, 0, -1):
            os.rename(f"{self.path}.{number}", f"{self.path}.{number + 1}")
        os.rename(self.path, f"{self.path}.1")
        self._file = self.path.open("ab", buffering=0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
