"""What a filter can ask for: the leaves of the event schema, by their dotted paths."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from bigsec import _core

__all__ = ["UNMAPPED", "Column", "Kind", "columns", "near", "quoted"]

Kind = Literal["text", "ip", "time", "number", "boolean", "id", "list"]

UNMAPPED: Final = "unmapped."
"""What stands before the name of a source's own field."""

_KINDS: Final[dict[str, Kind]] = {
    "text": "text",
    "ip": "ip",
    "time": "time",
    "boolean": "boolean",
    "id": "id",
    "idlist": "list",
    "unmapped": "list",
}
_SHORT: Final = {"severity": "severity_id", "class": "class_uid", "status": "status_id"}


@dataclass(frozen=True, slots=True)
class Column:
    """A leaf of the schema.

    sql: how a statement names it; a path into structs is null where one of them is.
    """

    path: str
    kind: Kind
    sql: str


def quoted(path: str) -> str:
    """A dotted path as SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in path.split("."))


@lru_cache(maxsize=1)
def columns() -> dict[str, Column]:
    """All leaves by path."""
    return {
        leaf.path: Column(leaf.path, _KINDS.get(leaf.type, "number"), quoted(leaf.path))
        for leaf in _core.schema()
    }


def near(name: str) -> list[str]:
    """Columns that may have been meant: spelled alike, or with the same last part."""
    known = columns()
    last = name.rsplit(".", 1)[-1].casefold()
    same = [path for path in known if path.rsplit(".", 1)[-1] == last]
    alike = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.7)
    short = [_SHORT[last]] if last in _SHORT else []
    return list(dict.fromkeys(short + alike + same))[:4]
