"""DuckDB, locked: it reads the files of one lake and nothing else, whatever a statement says.

The lock is the engine's own (external access off, one folder allowed, no extensions, configuration
locked), set before the first statement; it does not rest on what statements look like.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bigsec.errors import LakeError, Problem, QueryError

if TYPE_CHECKING:
    import duckdb

__all__ = ["SPILL", "Limits", "connected", "timed"]

SPILL: Final = "tmp"
"""Folder within a lake for what queries write meanwhile."""

_MACROS: Final = (
    """
CREATE MACRO ipv4_number(address) AS
CASE WHEN contains(address, '.') AND NOT contains(address, ':') THEN
    split_part(address, '.', 1)::BIGINT * 16777216 + split_part(address, '.', 2)::BIGINT * 65536
    + split_part(address, '.', 3)::BIGINT * 256 + split_part(address, '.', 4)::BIGINT END
""",
    # `::` stands once for all groups that are missing.
    """
CREATE MACRO ipv6_groups(head, tail) AS
list_concat(
    list_concat(head, list_resize([]::VARCHAR[], greatest(8 - len(head) - len(tail), 0), '0')), tail
)
""",
    """
CREATE MACRO ipv6_parts(half) AS list_filter(string_split(half, ':'), lambda g: g <> '')
""",
    """
CREATE MACRO ipv6_digits(address) AS
CASE WHEN contains(address, ':') AND NOT contains(address, '.') THEN
    array_to_string(list_transform(ipv6_groups(
        ipv6_parts(split_part(address, '::', 1)),
        CASE WHEN contains(address, '::') THEN ipv6_parts(split_part(address, '::', 2))
             ELSE []::VARCHAR[] END
    ), lambda g: lpad(lower(g), 4, '0')), '') END
""",
)
"""Addresses are text; these make numbers of four bytes and 32 hexadecimal digits of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a query may use.

    memory_bytes: beyond it, it spills to a file, at most spill_bytes. seconds: then it is ended.
    """

    memory_bytes: int = 1 << 30
    spill_bytes: int = 4 << 30
    seconds: float = 300.0


@contextmanager
def connected(folder: Path, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own that can read the lake in `folder`."""
    import duckdb

    with _spill(folder) as spill:
        link = duckdb.connect(":memory:", config=_config(limits, spill))
        try:
            for macro in _MACROS:
                link.execute(macro)
            link.execute("SET allowed_directories = [?]", [str(folder / "data")])
            link.execute("SET enable_external_access = false")
            link.execute("SET lock_configuration = true")
            yield link
        finally:
            link.close()


def _config(limits: Limits, spill: str) -> dict[str, Any]:
    return {
        "memory_limit": f"{limits.memory_bytes}B",
        "temp_directory": spill,
        "max_temp_directory_size": f"{limits.spill_bytes}B",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        "allow_persistent_secrets": False,
    }


@contextmanager
def _spill(folder: Path) -> Iterator[str]:
    """A folder for what does not fit into memory: beside the lake, or where that is only read, in
    the system's."""
    beside: Path | None = folder / SPILL
    try:
        (folder / SPILL).mkdir(exist_ok=True)
    except OSError:
        beside = None
    with tempfile.TemporaryDirectory(
        dir=beside, prefix="query-", ignore_cleanup_errors=True
    ) as made:
        yield made


@contextmanager
def timed(link: duckdb.DuckDBPyConnection, limits: Limits, place: str) -> Iterator[None]:
    """Ends what runs on the connection when its time is over; turns its faults into ours."""
    import duckdb

    done = threading.Event()
    threading.Thread(
        target=_end_late, args=(link, limits.seconds, done), name="query limit", daemon=True
    ).start()
    try:
        yield
    except duckdb.InterruptException as error:
        told = f"{place}: the query took longer than {limits.seconds:g} s"
        raise LakeError("BS3204", "lake.limit", told) from error
    except duckdb.OutOfMemoryException as error:
        told = f"{place}: the query needs more than {limits.memory_bytes >> 20} MiB"
        raise LakeError("BS3204", "lake.limit", told) from error
    except duckdb.IOException as error:
        # A file that a merge replaced ten minutes ago, or a broken disk: it may succeed again.
        raise LakeError("BS3203", "lake.broken", f"{place}: {error}; try again") from error
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        # Of what a filter brings, patterns alone are read by the engine.
        told = str(error).split("\n", 1)[0]
        problem = Problem("BS3201", "query.invalid", told, mend="patterns are those of RE2")
        raise QueryError("BS3201", "query.invalid", told, (problem,)) from error
    finally:
        done.set()


def _end_late(link: duckdb.DuckDBPyConnection, seconds: float, done: threading.Event) -> None:
    """Interrupt what is not done in time, and again: while it is planned nothing heeds it."""
    import duckdb

    pause = seconds
    with suppress(duckdb.ConnectionException):  # it was closed meanwhile
        while not done.wait(pause):
            link.interrupt()
            pause = 0.2
