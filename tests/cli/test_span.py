"""Times on the command line."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigsec.cli.span import moment_us, zone
from bigsec.errors import FormatError

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("now", NOW),
        ("90s", NOW - timedelta(seconds=90)),
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-11-24", datetime(2026, 11, 23, 16, tzinfo=UTC)),
        ("2026-11-24T20:00", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("2026-11-24T20:00Z", datetime(2026, 11, 24, 20, tzinfo=UTC)),
        ("2026-11-24T20:00+01:00", datetime(2026, 11, 24, 19, tzinfo=UTC)),
    ],
)
def test_moments_in_shanghai(value: str, expected: datetime) -> None:
    assert moment_us(value, now=NOW, within=zone("+08:00")) == _us(expected)


@given(st.text())
def test_any_text_is_a_time_or_a_usage_error(value: str) -> None:
    with contextlib.suppress(FormatError):  # and no other exception
        moment_us(value, now=NOW, within=UTC)


@pytest.mark.parametrize("value", ["", "tomorrow", "7y", "2026-13-01", "999999999w", "-2h"])
def test_what_is_no_time_is_refused(value: str) -> None:
    with pytest.raises(FormatError):
        moment_us(value, now=NOW, within=UTC)


@pytest.mark.parametrize("name", ["UTC", "Asia/Shanghai", "+08:00", "+0800", "-03:30", "Z"])
def test_zones(name: str) -> None:
    assert NOW.astimezone(zone(name)) == NOW


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "+24:00", "+08:60", "../../etc/passwd", "\x00", "Asia"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(FormatError) as caught:
        zone(name)
    assert caught.value.code == "BS4003"
