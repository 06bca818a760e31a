"""Times as pages show them, and times as people write them in a filter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["Clock", "read_moment", "zone_of"]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z][A-Za-z0-9_+-]{0,31}){0,2}")
_OFFSET: Final = re.compile(r"([+-])(\d{2}):(\d{2})")
_AGO: Final = re.compile(r"-?(\d{1,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def zone_of(name: str) -> tzinfo | None:
    """The zone of an IANA name or an offset such as `+08:00`; None where there is none."""
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if offset >= timedelta(days=1):
            return None
        return timezone(-offset if match[1] == "-" else offset)
    if not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Clock:
    """Shows times in one zone, always with their offset. name: as the reader chose it."""

    name: str
    zone: tzinfo

    def offset(self, moment: datetime) -> str:
        """The zone's offset at a moment: `+08:00`."""
        text = self._local(moment).strftime("%z")
        return f"{text[:3]}:{text[3:5]}"

    def shown(self, moment: datetime) -> str:
        """`2026-11-24 20:12:03`."""
        return self._local(moment).isoformat(" ", "seconds")[:19]

    def later(self, moment: datetime, first: datetime) -> str:
        """A second time beside a first one: without the date where that is the same."""
        text, before = self.shown(moment), self.shown(first)
        return text[11:] if text[:10] == before[:10] else text

    def exact(self, moment: datetime) -> str:
        """For the `datetime` attribute and the tooltip: UTC, to the microsecond."""
        return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def _local(self, moment: datetime) -> datetime:
        try:
            return moment.astimezone(self.zone)
        except OverflowError:  # the last hours of year 9999, which a device's clock may claim
            return moment


def read_moment(text: str, *, now: datetime, zone: tzinfo) -> datetime:
    """A moment that a person wrote: `-24h`, `now`, `2026-11-24`, `2026-11-24 20:00`.

    Raises ValueError for anything else.
    """
    given = text.strip()
    if given == "now":
        return now
    if match := _AGO.fullmatch(given):
        try:
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        except OverflowError:
            raise ValueError(given) from None
    moment = datetime.fromisoformat(given)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
