"""Times: µs since 1970 in the store, aware datetimes in UTC outside, ISO 8601 in rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["from_text", "from_us", "to_text", "to_us", "utc_now"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_FIRST_US: Final = (_FIRST - _EPOCH) // _MICROSECOND
_LAST_US: Final = (_LAST - _EPOCH) // _MICROSECOND


def utc_now() -> datetime:
    """The clock that verbs use where they are given none."""
    return datetime.now(UTC)


def to_us(moment: datetime) -> int:
    """µs since 1970. A datetime without a zone is taken as UTC."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """The moment in UTC; beyond the years 1 to 9999, which a clock may claim, their end."""
    return _EPOCH + timedelta(microseconds=min(max(microseconds, _FIRST_US), _LAST_US))


def from_text(text: str) -> datetime:
    """A moment in ISO 8601. Raises ValueError.

    Years of more than four digits carry a sign; they become the end of what a datetime can hold.
    """
    if text[:1] in ("+", "-"):
        return _LAST if text[0] == "+" else _FIRST
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def to_text(moment: datetime) -> str:
    """ISO 8601 in UTC with six digits and `Z`, as rows of batches have it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
