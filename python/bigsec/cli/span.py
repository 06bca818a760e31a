"""Moments as people write them on a command line: absolute in a zone, or so long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bigsec.errors import FormatError

_RELATIVE = re.compile(r"(?P<ahead>\+?)(?P<count>[0-9]{1,9})(?P<unit>[smhdw])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-5][0-9])\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone(name: str) -> tzinfo:
    """A time zone by IANA name or offset (`Asia/Shanghai`, `+08:00`, `UTC`).

    Raises FormatError (BS4003).
    """
    if name.upper() in {"UTC", "Z"}:
        return UTC
    if offset := _OFFSET.match(name):
        minutes = int(offset["hours"]) * 60 + int(offset["minutes"])
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if offset["sign"] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise FormatError("BS4003", "usage.time_zone", f"no such time zone: `{name}`") from None


def moment_us(value: str, *, now: datetime, within: tzinfo) -> int:
    """A moment in µs since 1970 UTC.

    value: ISO 8601 (`2026-11-24`, `2026-11-24T20:00`, `…+08:00`), or a time before now (`90s`,
    `30m`, `2h`, `7d`, `1w`) or after it (`+8h`), or `now`.
    now: an aware time. within: the zone of a value that names none.
    Raises FormatError (BS4001).
    """
    if value == "now":
        return _us(now)
    if relative := _RELATIVE.match(value):
        seconds = int(relative["count"]) * _SECONDS[relative["unit"]]
        try:
            return _us(now + timedelta(seconds=seconds if relative["ahead"] else -seconds))
        except OverflowError:
            raise _unreadable(value) from None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _unreadable(value) from None
    return _us(moment if moment.tzinfo else moment.replace(tzinfo=within))


def moment_of(value: str, within: tzinfo) -> datetime:
    """The same as a datetime in UTC, counted from now. Raises FormatError (BS4001)."""
    us = moment_us(value, now=datetime.now(UTC), within=within)
    return _EPOCH + timedelta(microseconds=us)


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def between(since: str | None, until: str | None, within: tzinfo) -> dict[str, Any]:
    """The times of `--since` and `--until`, as those who search take them. Raises FormatError."""
    return {
        "since": None if since is None else moment_of(since, within),
        "until": None if until is None else moment_of(until, within),
    }


def _unreadable(value: str) -> FormatError:
    return FormatError("BS4001", "usage", f"not a time: `{value}`")


def seconds_of(value: str) -> int:
    """A span such as `90s`, `5m`, `1h`, `1d`. Raises FormatError (BS4001)."""
    found = _RELATIVE.match(value)
    if found is None or found["ahead"] or not int(found["count"]):
        raise _unreadable(value)
    return int(found["count"]) * _SECONDS[found["unit"]]
