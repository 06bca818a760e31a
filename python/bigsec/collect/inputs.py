"""Finding the inputs that paths name: files, folders with all below them, patterns.

Only regular files are read, and named pipes that were named themselves (one met inside a folder
would block for ever). What cannot be read becomes a problem, and the rest goes on.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bigsec.collect.pattern import expand, is_pattern
from bigsec.errors import Problem

# Identity of a file or folder on this machine, whatever name it was reached by.
_Identity = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Input:
    """One input. size in bytes as stored, 0 where unknown."""

    path: str
    size: int


@dataclass(slots=True)
class FoundInputs:
    """What paths name, each file once, in order of the paths and of the names below them.

    hidden: names inside folders that begin with a dot and were left out; name them to read them.
    """

    inputs: list[Input] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    hidden: int = 0

    @property
    def size(self) -> int:
        """Bytes of all inputs as stored."""
        return sum(found.size for found in self.inputs)


def find_inputs(paths: Iterable[str], *, leave_out: str | None = None) -> FoundInputs:
    """Expand paths to inputs.

    leave_out: a folder whose content is no input although it may stand below one, such as the one
    that results are written to.
    A path that does not exist and holds `*`, `?` or `[` is a pattern; `**` stands for any folders.
    Links to folders are followed once; one that leads back to a folder above it is BS1107.
    """
    search = _Search()
    if leave_out is not None:
        search.leave_out(leave_out)
    for path in paths:
        search.named(path)
    return search.found


class _Search:
    """One walk over all paths, with what was already seen."""

    def __init__(self) -> None:
        self.found = FoundInputs()
        self._files: set[_Identity] = set()
        self._folders: set[_Identity] = set()

    def leave_out(self, folder: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # what does not exist holds nothing
            self._folders.add(_identity(os.stat(folder)))

    def named(self, path: str) -> None:
        if not os.path.lexists(path) and is_pattern(path):
            self._pattern(path)
            return
        status = self._status(path)
        if status is None:
            return
        before = len(self.found.inputs) + len(self.found.problems)
        if stat.S_ISDIR(status.st_mode):
            self._folder(path, status)
            if len(self.found.inputs) + len(self.found.problems) == before:
                mend = "name a folder that has some, or the hidden ones themselves"
                self._problem("BS1101", f"the folder holds no file: {path}", path, mend)
        else:
            self._file(path, status, named=True)

    def _pattern(self, path: str) -> None:
        matches = expand(path)
        if not matches:
            mend = "check the pattern; quote it so that the shell leaves it alone"
            self._problem("BS1101", f"the pattern matches nothing: {path}", path, mend)
        for match in matches:
            if (status := self._status(match)) is None:
                continue
            if stat.S_ISDIR(status.st_mode):
                self._folder(match, status)
            else:
                self._file(match, status, named=False)

    def _folder(self, path: str, status: os.stat_result) -> None:
        """Everything below a folder. Entries are taken in order of their names' bytes."""
        waiting: list[Iterator[str]] = [iter(self._enter(path, status))]
        above = [_identity(status)]
        while waiting:
            entry = next(waiting[-1], None)
            if entry is None:
                waiting.pop()
                above.pop()
                continue
            if (entry_status := self._status(entry)) is None:
                continue
            if not stat.S_ISDIR(entry_status.st_mode):
                self._file(entry, entry_status, named=False)
                continue
            identity = _identity(entry_status)
            if identity in above:
                message = f"the link leads back to a folder above it: {entry}"
                self._problem("BS1107", message, entry, "nothing to do; it was not followed")
            else:
                waiting.append(iter(self._enter(entry, entry_status)))
                above.append(identity)

    def _enter(self, path: str, status: os.stat_result) -> list[str]:
        """The names in a folder that is met for the first time."""
        if _identity(status) in self._folders:
            return []
        self._folders.add(_identity(status))
        try:
            names = sorted(os.listdir(path), key=os.fsencode)
        except OSError as error:
            self._failed(path, error)
            return []
        shown = [name for name in names if not name.startswith(".")]
        self.found.hidden += len(names) - len(shown)
        return [os.path.join(path, name) for name in shown]

    def _file(self, path: str, status: os.stat_result, *, named: bool) -> None:
        if _identity(status) in self._files:
            return
        regular = stat.S_ISREG(status.st_mode)
        if not regular and not (named and stat.S_ISFIFO(status.st_mode)):
            if named:
                message = f"neither a file, a folder nor a named pipe: {path}"
                self._problem("BS1103", message, path, "pipe it into `-` instead")
            return
        self._files.add(_identity(status))
        if not os.access(path, os.R_OK):
            self._failed(path, PermissionError(path))
            return
        self.found.inputs.append(Input(path, status.st_size if regular else 0))

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return os.stat(path)
        except (OSError, ValueError) as error:
            self._failed(path, error)
            return None

    def _failed(self, path: str, error: OSError | ValueError) -> None:
        if isinstance(error, PermissionError):
            mend = "run as a user who may read it, or change its permissions"
            self._problem("BS1102", f"permission denied: {path}", path, mend)
        elif isinstance(error, FileNotFoundError | NotADirectoryError):
            dangling = os.path.islink(path)
            message = f"the link leads nowhere: {path}" if dangling else f"no such file: {path}"
            self._problem("BS1101", message, path, "check the spelling")
        else:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._problem("BS1103", f"cannot be read ({reason}): {path}", path, "")

    def _problem(self, code: str, message: str, path: str, mend: str) -> None:
        name = _NAMES[code]
        self.found.problems.append(
            Problem(code=code, name=name, message=message, file=path, mend=mend)
        )


_NAMES = {
    "BS1101": "input.not_found",
    "BS1102": "input.denied",
    "BS1103": "input.broken",
    "BS1107": "input.symlink_loop",
}


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino
