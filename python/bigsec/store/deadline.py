"""A bound on how long the queries of one open store may run."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from bigsec.store.database import Store

__all__ = ["is_overdue", "stop_reads_after"]

_STEPS: Final = 20_000
"""SQLite's instructions between two looks at the clock: a fraction of a millisecond of work."""
_INTERRUPTED: Final = 9
"""Result code SQLITE_INTERRUPT. Source: sqlite.org/rescode.html."""


def stop_reads_after(store: Store, seconds: float) -> None:
    """Let every query of a store that still runs so many seconds from now fail.

    For stores that answer strangers; what fails so is told by `is_overdue`.
    """
    end = time.monotonic() + seconds

    def overdue() -> bool:
        return time.monotonic() > end

    @event.listens_for(store._reader, "checkout")
    def watch(connection: Any, _record: object, _proxy: object) -> None:
        connection.set_progress_handler(overdue, _STEPS)


def is_overdue(error: BaseException) -> bool:
    """Whether a query failed because its time was over."""
    fault = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(fault, "sqlite_errorcode", 0)
    return isinstance(code, int) and code & 0xFF == _INTERRUPTED
