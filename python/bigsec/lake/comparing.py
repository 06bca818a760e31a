"""One column against one value of a filter, by the column's kind.

Text compares without regard to case, `*` and `?` stand for any text and any character; addresses
compare as addresses; a day is all of its moments.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime
from typing import Any, Final

from bigsec.lake.columns import Column
from bigsec.lake.condition import Condition
from bigsec.lake.moments import span_of

__all__ = ["ValueFault", "bound", "equal", "exists", "pattern", "within"]

SEVERITIES: Final = {
    "unknown": 0,
    "informational": 1,
    "low": 2,
    "medium": 3,
    "high": 4,
    "critical": 5,
    "fatal": 6,
}
OUTCOMES: Final = {"success": 1, "failure": 2}
_WORDS: Final = {"severity_id": SEVERITIES, "status_id": OUTCOMES}
_INTEGER: Final = re.compile(r"-?\d{1,18}")
_ID: Final = re.compile(r"[0-9a-f]{32}")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ValueFault(Exception):
    """The value is none for its column: what is wrong, and the mend."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend


def exists(column: Column) -> Condition:
    """It has a value."""
    if column.kind == "list":
        return Condition(f"(len({column.sql}) > 0)")
    return Condition(f"({column.sql} IS NOT NULL)")


def equal(column: Column, word: str, wild: str | None, now: datetime) -> Condition:
    """It is the word. wild: the word as a LIKE pattern where it has wildcards."""
    if column.kind == "time":
        first, after = _span(word, now)
        sql = f"({column.sql} >= ? AND {column.sql} < ?)"
        return Condition(sql, [first, after])
    if column.kind == "text" or (column.kind == "ip" and wild is not None):
        return like(column.sql, word, wild)
    if column.kind == "ip":
        return _address(column, word)
    if column.kind == "list":
        raise ValueFault(f"`{column.path}` is a list", f"ask for `{column.path}.NAME`")
    return Condition(f"({column.sql} = ?)", [_value(column, word)])


def like(sql: str, word: str, wild: str | None) -> Condition:
    """Text is the word, or fits it where it has wildcards."""
    if wild is None:
        return Condition(f"(lower({sql}) = ?)", [word.lower()])
    return Condition(f"(lower({sql}) LIKE ? ESCAPE '\\')", [wild.lower()])


def pattern(sql: str, expression: str) -> Condition:
    """A regular expression (RE2) finds something in the text."""
    return Condition(f"regexp_matches({sql}, ?, 'i')", [expression])


def bound(column: Column, word: str, operator: str, now: datetime) -> Condition:
    """It is above or below the word; operator: `>`, `>=`, `<` or `<=`."""
    if column.kind == "time":
        first, after = _span(word, now)
        # A day is over only after its last moment.
        moment, told = {
            ">": (after, ">="),
            ">=": (first, ">="),
            "<": (first, "<"),
            "<=": (after, "<"),
        }[operator]
        return Condition(f"({column.sql} {told} ?)", [moment])
    if column.kind not in {"number", "text"}:
        raise ValueFault(
            f"`{column.path}` has no order", f"write `{column.path}:VALUE`, or a network"
        )
    value: Any = _value(column, word) if column.kind == "number" else word
    return Condition(f"({column.sql} {operator} ?)", [value])


def within(column: Column, network: Network) -> Condition:
    """An address of this network."""
    if network.version == 4:
        first, last = int(network.network_address), int(network.broadcast_address)
        return Condition(f"(ipv4_number({column.sql}) BETWEEN ? AND ?)", [first, last])
    ends = [f"{int(end):032x}" for end in (network.network_address, network.broadcast_address)]
    return Condition(f"(ipv6_digits({column.sql}) BETWEEN ? AND ?)", ends)


def _address(column: Column, word: str) -> Condition:
    if "/" in word:
        try:
            return within(column, ipaddress.ip_network(word, strict=False))
        except ValueError:
            raise ValueFault(f"`{word}` is no network", "write for instance 10.0.0.0/8") from None
    try:
        address = str(ipaddress.ip_address(word))
    except ValueError:
        mend = "write an address, a network, or a pattern such as 10.1.*"
        raise ValueFault(f"`{word}` is no address", mend) from None
    return Condition(f"({column.sql} = ?)", [address])


def _span(word: str, now: datetime) -> tuple[datetime, datetime]:
    span = span_of(word, now)
    if span is None:
        mend = "write 2026-11-01, 2026-11-01T08:00:00+08:00 or now-4h"
        raise ValueFault(f"`{word}` is no time", mend)
    return span


def _value(column: Column, word: str) -> int | bool | bytes:
    if column.kind == "boolean":
        if word.lower() in {"true", "false"}:
            return word.lower() == "true"
        raise ValueFault(f"`{column.path}` is true or false", "write true or false")
    if column.kind == "id":
        if _ID.fullmatch(word.lower()):
            return bytes.fromhex(word)
        raise ValueFault(f"`{word}` is no event id", "an id has 32 hexadecimal digits")
    words = _WORDS.get(column.path, {})
    if word.lower() in words:
        return words[word.lower()]
    if _INTEGER.fullmatch(word):
        return int(word)
    mend = f"write a number or one of {', '.join(words)}" if words else "write a whole number"
    raise ValueFault(f"`{word}` is no number", mend)
