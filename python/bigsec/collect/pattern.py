"""File-name patterns, expanded without following a link twice.

The library's own glob follows links under `**` and can walk a loop of two of them for hours; this
one walks each folder once.
"""

from __future__ import annotations

import fnmatch
import os

_MAGIC = frozenset("*?[")


def is_pattern(path: str) -> bool:
    """Whether a path holds a wildcard."""
    return not _MAGIC.isdisjoint(path)


def expand(pattern: str) -> list[str]:
    """The paths that a pattern names, in order of their names' bytes; hidden names only by name."""
    parts = pattern.split(os.sep)
    if parts[0] == "":
        return _matches([os.sep], parts[1:])
    return _matches([""], parts)


def _matches(bases: list[str], parts: list[str]) -> list[str]:
    for part in parts:
        if part in {"", "."}:
            continue
        if part == "**":
            bases = [folder for base in bases for folder in _folders(base)]
        elif is_pattern(part):
            bases = [os.path.join(base, name) for base in bases for name in _named(base, part)]
        else:
            bases = [path for base in bases if os.path.lexists(path := os.path.join(base, part))]
    return [base for base in dict.fromkeys(bases) if base]


def _named(base: str, part: str) -> list[str]:
    names = [name for name in _names(base) if fnmatch.fnmatchcase(name, part)]
    if not part.startswith("."):
        names = [name for name in names if not name.startswith(".")]
    return names


def _folders(base: str) -> list[str]:
    """A folder and all folders below it, links not followed."""
    found = [base]
    for folder in found:  # grows while it is walked: breadth first, without recursion
        for name in _names(folder):
            path = os.path.join(folder, name)
            if not name.startswith(".") and os.path.isdir(path) and not os.path.islink(path):
                found.append(path)
    return found


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder or os.curdir), key=os.fsencode)
    except OSError:
        # Not a folder, or not readable: it matches nothing. The caller names what matched nothing.
        return []
