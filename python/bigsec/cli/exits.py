"""Exit codes of the command line, and which failure gives which."""

from __future__ import annotations

import errno
from enum import IntEnum

from bigsec.errors import (
    BigsecError,
    ConfigError,
    DaemonError,
    FormatError,
    MissingExtraError,
    PackError,
    QueryError,
    StoreFullError,
    StoreLockedError,
    StoreVersionError,
)


class Exit(IntEnum):
    """What a command ended with. Documented in `docs/reference/cli.md`."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    BAD_INPUT = 3
    PARTIAL = 4
    TAMPERED = 5
    UNAVAILABLE = 69
    # Not one of the contract's answers: the program itself is at fault.
    DEFECT = 70
    CONFIGURATION = 78
    INTERRUPTED = 130


# What the operating system says when there is no room; not every system has quotas.
DISK_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})

# In order: the first class that fits decides.
_BY_ERROR: tuple[tuple[type[BigsecError], Exit], ...] = (
    (FormatError, Exit.USAGE),
    (QueryError, Exit.USAGE),
    # Locked and full mend themselves or are mended outside: the same command may work later.
    (StoreLockedError, Exit.UNAVAILABLE),
    (StoreFullError, Exit.UNAVAILABLE),
    (DaemonError, Exit.UNAVAILABLE),
    # What is installed or configured does not fit; running again cannot help.
    (StoreVersionError, Exit.CONFIGURATION),
    (MissingExtraError, Exit.CONFIGURATION),
    (PackError, Exit.CONFIGURATION),
    (ConfigError, Exit.CONFIGURATION),
    (BigsecError, Exit.BAD_INPUT),
)


def exit_of(error: BigsecError) -> Exit:
    """The exit code of a failed operation."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))
