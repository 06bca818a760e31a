"""Faults of the database and the disk become the errors of `bigsec.errors`."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound

from bigsec.errors import (
    BigsecError,
    Problem,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreVersionError,
)
from bigsec.store.engine import sqlite_module

__all__ = [
    "GarbledError",
    "broken",
    "denied",
    "faults",
    "full",
    "locked",
    "missing",
    "newer",
    "unsupported",
]

_FULL: Final = 13
_BUSY: Final = (5, 6)
_DENIED: Final = (3, 8, 14, 23)
_BROKEN: Final = (11, 19, 26)
_INPUT_OUTPUT: Final = 10
_WRITES: Final = frozenset({3, 4, 5, 6, 18, 19, 21})
"""Of the input and output faults: a write, a flush, a change of size, or the index of the
write-ahead log. A reader makes that index too, and fails so where the disk is full.

Primary result codes. Source: sqlite.org/rescode.html."""

_CODES: Final = {
    "database or disk is full": _FULL,
    "database is locked": 5,
    "attempt to write a readonly database": 8,
    "unable to open database file": 14,
    "database disk image is malformed": 11,
    "file is not a database": 26,
    "disk I/O error": _INPUT_OUTPUT,
}
"""SQLite's own texts, for errors of a backup: they come without a code."""

_UNDECODABLE: Final = "Could not decode to UTF-8"
"""The driver's text, which goes on with what could not be decoded."""

_LOST: Final = ("no such table", "no such column", "unsupported file format")
"""The migrations made them: the list of tables itself is damaged."""

_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _problem(code: str, name: str, message: str, place: str, mend: str) -> tuple[Problem, ...]:
    return (Problem(code, name, message, file=place, mend=mend),)


def newer(place: str, revision: str) -> StoreVersionError:
    """The store was written by a newer version."""
    code, name = "BS3101", "store.version"
    message = f"{place} was written by a newer version of bigsec (schema {revision})"
    mend = "Upgrade bigsec, or name another folder. Nothing was changed."
    return StoreVersionError(code, name, message, _problem(code, name, message, place, mend))


def locked(place: str, pid: int | None = None) -> StoreLockedError:
    """Another process writes to the store; pid where it is known."""
    code, name = "BS3102", "store.locked"
    who = "another process" if pid is None else f"process {pid}"
    message = f"{who} is writing to {place}"
    mend = "Wait for it, or name another folder."
    return StoreLockedError(code, name, message, _problem(code, name, message, place, mend))


def full(place: str, what: str = "it is full") -> StoreFullError:
    """The disk takes no more."""
    code, name = "BS3103", "store.full"
    message = f"the disk of {place} takes no more: {what}"
    mend = "Free space and run again. What stood there before is unchanged."
    return StoreFullError(code, name, message, _problem(code, name, message, place, mend))


def missing(place: str) -> StoreError:
    """There is no store."""
    code, name = "BS3104", "store.not_found"
    message = f"no store at {place}"
    mend = "Make one with `bigsec scan … --output DIR`, or check the path."
    return StoreError(code, name, message, _problem(code, name, message, place, mend))


def broken(place: str, what: str) -> StoreError:
    """The store cannot be read; what says why."""
    code, name = "BS3105", "store.broken"
    message = f"{place} cannot be read: {what}"
    mend = "Move it aside and scan again: a store is a view of the logs and can be rebuilt."
    return StoreError(code, name, message, _problem(code, name, message, place, mend))


def denied(place: str, what: str) -> StoreError:
    """This user may not open or write the store."""
    code, name = "BS1102", "input.denied"
    message = f"{place} cannot be opened: {what}"
    mend = "Run as a user who may, change its permissions, or name another folder."
    return StoreError(code, name, message, _problem(code, name, message, place, mend))


def unsupported(place: str) -> StoreError:
    """A database that this version has no driver for."""
    code, name = "BS3104", "store.not_found"
    message = f"{place} cannot be opened: this version keeps its stores in SQLite"
    mend = "Name a folder, a file, or a URL that begins with sqlite:///."
    return StoreError(code, name, message, _problem(code, name, message, place, mend))


class GarbledError(ValueError):
    """A row does not hold what was written: the file was damaged. Becomes a StoreError."""


@contextmanager
def faults(place: str, *, writes: bool = False) -> Iterator[None]:
    """Raise what fails inside as a StoreError that names the place and the mend."""
    try:
        yield
    except BigsecError:
        raise
    except (DBAPIError, sqlite_module().Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        found = _of_database(cause, place, writes)
        if found is None:
            raise
        raise found from error
    except (GarbledError, UnicodeDecodeError, NoResultFound, MultipleResultsFound) as error:
        raise broken(place, f"it is damaged ({error})") from error
    except OSError as error:
        raise _of_system(error, place) from error


def _of_database(error: BaseException | None, place: str, writes: bool) -> StoreError | None:
    """None for a fault of the program (a wrong statement), which is not the store's."""
    what = str(error)
    code = getattr(error, "sqlite_errorcode", None) or _CODES.get(what, 0)
    primary = code & 0xFF
    if primary == _FULL:
        return full(place)
    if primary == _INPUT_OUTPUT and (writes or code >> 8 in _WRITES):
        # A quota and a limit on the size of files come as this, and so does a faulty disk.
        return full(place, f"{what} (a quota, a file size limit, or a fault of the disk)")
    if primary in _BUSY:
        return locked(place)
    if primary in _DENIED:
        return denied(place, what)
    if what.startswith(_UNDECODABLE):
        return broken(place, "it is damaged (a text is not UTF-8)")
    damaged = primary in (*_BROKEN, _INPUT_OUTPUT) or what.startswith(_LOST)
    return broken(place, what) if damaged else None


def _of_system(error: OSError, place: str) -> StoreError:
    if error.errno in _DISK_FULL:
        return full(place, error.strerror or "it is full")
    return denied(place, error.strerror or str(error))
