"""The kinds of fault that only a server has. Those of bigsec itself stand in `bigsec.errors`."""

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


NO_TOKEN: Final = Code(
    "BS4101", "api.no_token", "The request carries no token or session that holds."
)
FOREIGN: Final = Code(
    "BS4102", "api.foreign", "A request that changes something came from another site."
)
TOO_LARGE: Final = Code("BS4103", "api.too_large", "The request is larger than any that fits here.")
TOO_SLOW: Final = Code(
    "BS4104",
    "api.too_slow",
    "The answer would take too long. Ask for less: a shorter time, a level.",
)
MISDIRECTED: Final = Code(
    "BS4105", "api.misdirected", "The request was meant for another host, or came through a proxy."
)
NO_PAGE: Final = Code("BS4106", "api.no_page", "Nothing stands at this address.")
METHOD: Final = Code("BS4107", "api.method", "The address does not take this method.")
DEFECT: Final = Code("BS4108", "api.defect", "A defect of bigsec itself; its log has the details.")

_OWN: Final = (NO_TOKEN, FOREIGN, TOO_LARGE, TOO_SLOW, MISDIRECTED, NO_PAGE, METHOD, DEFECT)


@cache
def _table() -> dict[str, str]:
    core = {code.number: code.about for code in _core.codes()}
    core["BS4001"] = "The request cannot be understood."  # The core speaks of the command line.
    return core | {code.number: code.about for code in _OWN}


def about(number: str) -> str:
    """What a number means, in one sentence that never changes with the occasion."""
    return _table().get(number, number)
