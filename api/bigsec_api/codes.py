"""The kinds of fault that only a server has, from the one table of the core."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from bigsec import _core

__all__ = [
    "DEFECT",
    "FOREIGN",
    "METHOD",
    "MISDIRECTED",
    "NO_PAGE",
    "NO_TOKEN",
    "PORT",
    "TOO_LARGE",
    "TOO_SLOW",
    "Code",
    "about",
]


@dataclass(frozen=True, slots=True)
class Code:
    """number for people, name for programs, about: what it means and what to do."""

    number: str
    name: str
    about: str


@cache
def _table() -> dict[str, Code]:
    found = {code.name: Code(code.number, code.name, code.about) for code in _core.codes()}
    # The core speaks of the command line there.
    found["usage"] = Code("BS4001", "usage", "The request cannot be understood.")
    return found


NO_TOKEN: Final = _table()["api.no_token"]
FOREIGN: Final = _table()["api.foreign"]
TOO_LARGE: Final = _table()["api.too_large"]
TOO_SLOW: Final = _table()["api.too_slow"]
MISDIRECTED: Final = _table()["api.misdirected"]
NO_PAGE: Final = _table()["api.no_page"]
METHOD: Final = _table()["api.method"]
DEFECT: Final = _table()["api.defect"]
PORT: Final = _table()["api.port"]


@cache
def about(number: str) -> str:
    """What a number means, in words that never change with the occasion."""
    return next((code.about for code in _table().values() if code.number == number), number)
