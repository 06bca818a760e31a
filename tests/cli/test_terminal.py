"""What a log says reaches a terminal as text and nothing else."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigsec.cli.terminal import Color, colored, visible


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.text(st.characters(codec=None)))
def test_nothing_that_steers_a_terminal_is_left(value: str) -> None:
    shown = visible(value)
    assert not any(ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0 for one in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    shown.encode()  # no lone surrogate either


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\nc\td", r"a\x0db\x0ac\x09d"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("b\udcb2\udce2", r"b\xb2\xe2"),
        ("中文 ☃", "中文 ☃"),
        ("[bold]not markup[/]", "[bold]not markup[/]"),
    ],
)
def test_controls_become_their_codes(value: str, expected: str) -> None:
    assert visible(value) == expected


@pytest.mark.parametrize(
    ("color", "environ", "tty", "expected"),
    [
        (Color.AUTO, {}, True, True),
        (Color.AUTO, {}, False, False),
        (Color.AUTO, {"NO_COLOR": "1"}, True, False),
        (Color.AUTO, {"NO_COLOR": ""}, True, True),
        (Color.AUTO, {"FORCE_COLOR": "1"}, False, True),
        (Color.AUTO, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        (Color.ALWAYS, {"NO_COLOR": "1"}, False, True),
        (Color.NEVER, {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_the_option_wins_over_the_environment_and_that_over_the_terminal(
    color: Color,
    environ: dict[str, str],
    tty: bool,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert colored(_Tty() if tty else io.StringIO(), color, environ) is expected
