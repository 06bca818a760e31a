"""The progress line: narrow, rare, and gone when it is over."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bigsec.cli.progress import WIDTH_MAX, Progress, line, size


@given(
    st.integers(0, 2**60),
    st.integers(0, 2**60),
    st.floats(0, 1e9, allow_nan=False),
    st.text(max_size=80),
)
def test_a_line_is_never_wider_than_the_limit(
    done: int, total: int, elapsed: float, name: str
) -> None:
    shown = line(done, total, elapsed, name)
    assert cell_len(shown) <= WIDTH_MAX
    assert "\n" not in shown


def test_sizes_have_iec_units() -> None:
    assert [size(0), size(1023), size(1024), size(1536), size(300 * 2**20)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "1.5 KiB",
        "300 MiB",
    ]


def _run(*, live: bool, plain: bool, seconds: int) -> str:
    now = [0.0]
    stream = io.StringIO()
    progress = Progress(stream, live=live, plain=plain, clock=lambda: now[0])
    for second in range(seconds):
        now[0] = float(second)
        progress.update(second, seconds, "access.log")
    progress.clear()
    return stream.getvalue()


def test_a_terminal_gets_one_line_that_is_taken_away_at_the_end() -> None:
    shown = _run(live=True, plain=False, seconds=30)
    assert "\n" not in shown
    assert shown.count("\r\x1b[2K") > 20
    assert shown.endswith("\r\x1b[2K")


def test_elsewhere_there_is_a_plain_line_every_ten_seconds_if_asked_for() -> None:
    shown = _run(live=False, plain=True, seconds=35)
    assert shown.count("\n") == 3
    assert "\x1b" not in shown
    assert _run(live=False, plain=False, seconds=35) == ""
