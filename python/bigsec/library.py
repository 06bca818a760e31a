"""The functions behind `import bigsec`: what people give, made into what the core takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from io import TextIOBase
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from bigsec import _core

Source: TypeAlias = (
    "str | os.PathLike[str] | bytes | BinaryIO | Iterable[str | bytes | Mapping[str, object]]"
)
_Input: TypeAlias = "str | tuple[str, bytes] | tuple[str, Iterable[bytes]]"

_PACKS = Path(__file__).parent / "packs"


@lru_cache(maxsize=1)
def default_packs() -> _core.Packs:
    """The parser packs that come with bigsec, loaded once."""
    return _core.Packs.load(str(_PACKS / "parsers"))


def default_tables() -> Path:
    """Folder of the tables for log sources and entities."""
    return _PACKS / "tables"


def default_rules() -> Path:
    """Folder of the Sigma rules that come with bigsec."""
    return _PACKS / "rules"


def read(
    source: Source | Sequence[str | os.PathLike[str]],
    *,
    format: str | None = None,
    timezone: str = "UTC",
    keep_raw: bool = False,
    name: str = "memory",
    packs: _core.Packs | None = None,
) -> _core.EventReader:
    """Read logs into Arrow batches in the event schema.

    source: a path or several paths (`.gz`, `.zst` and `.xz` are decompressed), bytes, a binary
    file object, or an iterable of lines (text or bytes) or of mappings, which are read as JSON.
    format: a parser pack or decoder; None finds it for each file and line.
    timezone: IANA name or offset such as `+08:00`, for records that do not say theirs.
    keep_raw: keep each record's text in `raw_data`. Text that nothing could read is always kept.
    name: what events of bytes, file objects and iterables carry as their source.

    Iterate the result for batches, or hand it to any library that takes an Arrow stream; it can
    be read once. Faults of files are in `ledgers`, one a file; nothing is raised for them.
    """
    return _core.EventReader(
        _inputs(source, name),
        packs or default_packs(),
        format=format,
        timezone=timezone,
        keep_raw=keep_raw,
    )


def scan(
    source: Source | Sequence[str | os.PathLike[str]],
    rules: _core.Rules,
    *,
    format: str | None = None,
    timezone: str = "UTC",
    since_us: int | None = None,
    until_us: int | None = None,
    name: str = "memory",
    packs: _core.Packs | None = None,
) -> _core.Scanner:
    """Parse and match in one pass: iterate for chunks with `signals` and the `events` behind them.

    since_us, until_us: only events with `time_effective` in [since, until), in µs UTC.
    The other arguments are those of `read`.
    """
    return _core.Scanner(
        _inputs(source, name),
        rules,
        packs or default_packs(),
        format=format,
        timezone=timezone,
        since_us=since_us,
        until_us=until_us,
    )


def _inputs(source: object, name: str) -> list[_Input]:
    """What the core takes for each kind of source."""
    if isinstance(source, str | os.PathLike):
        return [os.fspath(source)]
    if isinstance(source, bytes | bytearray | memoryview):
        return [(name, bytes(source))]
    if hasattr(source, "read"):
        if isinstance(source, TextIOBase):
            raise TypeError("open the file in binary mode: open(path, 'rb')")
        return [(name, cast("BinaryIO", source))]
    if isinstance(source, Sequence) and source and _are_paths(source):
        return [os.fspath(path) for path in source]
    return [(name, _lines(cast("Iterable[object]", source)))]


def _are_paths(source: Sequence[object]) -> bool:
    """A list of existing paths, not a list of lines."""
    return all(
        isinstance(one, os.PathLike) or (isinstance(one, str) and os.path.exists(one))
        for one in source
    )


def _lines(source: Iterable[object]) -> Iterator[bytes]:
    """Each item of an iterable as one line."""
    for item in source:
        if isinstance(item, bytes):
            yield item
        elif isinstance(item, str):
            yield item.encode("utf-8", "surrogateescape")
        elif isinstance(item, Mapping):
            import orjson

            yield orjson.dumps(item, option=orjson.OPT_NON_STR_KEYS)
        else:
            kind = type(item).__name__
            raise TypeError(f"expected lines of text or bytes, or mappings, not {kind}")
