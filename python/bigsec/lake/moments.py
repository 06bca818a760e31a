"""Times in filters: ISO 8601, a day, or so long before now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["Span", "span_of"]

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_RELATIVE: Final = re.compile(r"now(?:([+-])(\d{1,6})([smhdw]))?")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

Span = tuple[datetime, datetime]
"""From the first moment, inclusive, to the second, exclusive."""


def span_of(text: str, now: datetime) -> Span | None:
    """What a word stands for: a day, a second, or a moment of a microsecond; None for no time.

    A time without an offset is UTC.
    """
    relative = _RELATIVE.fullmatch(text)
    try:
        if relative is not None:
            sign, count, unit = relative.groups()
            seconds = int(count) * _UNITS[unit] if count else 0
            moment = now + timedelta(seconds=-seconds if sign == "-" else seconds)
            return moment, moment + timedelta(microseconds=1)
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if _DAY.fullmatch(text):
            return moment, moment + timedelta(days=1)
        step = timedelta(microseconds=1) if moment.microsecond else timedelta(seconds=1)
        return moment, moment + step
    except (ValueError, OverflowError):
        return None
