"""The two ends of the command line: data on stdout, talk on stderr.

Text that came out of a log, a rule or a file name passes through `visible` before it reaches a
terminal, and never through rich markup.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# C0 and C1 controls steer the terminal; the bidirectional and line separators reorder or split
# what is shown, so that a log line could pass for something else.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
# The width taken where no terminal tells one: what a CI log or a mail shows without wrapping.
DEFAULT_WIDTH = 100


class Color(StrEnum):
    """When to colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def visible(value: str) -> str:
    """The text with every character that would steer a terminal shown as `\\xNN` or `\\uNNNN`."""
    return _UNSAFE.sub(_escape, value)


def _escape(match: re.Match[str]) -> str:
    point = ord(match[0])
    if 0xDC80 <= point <= 0xDCFF:  # a byte of a file name that is not UTF-8, as Python keeps it
        point -= 0xDC00
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"


def is_terminal(stream: TextIO) -> bool:
    """Whether a person is likely to read the stream as it comes."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def colored(stream: TextIO, color: Color, environ: Mapping[str, str] | None = None) -> bool:
    """Whether to colour a stream: the option first, then NO_COLOR, FORCE_COLOR, the terminal."""
    environ = os.environ if environ is None else environ
    if color is not Color.AUTO:
        return color is Color.ALWAYS
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream)


@cache
def console(color: Color, *, err: bool = False) -> Console:
    """The rich console of stdout, or of stderr."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    use_color = colored(stream, color)
    return Console(
        file=stream,
        force_terminal=use_color or None,
        color_system="auto" if use_color else None,
        no_color=not use_color,
        width=None if is_terminal(stream) or "COLUMNS" in os.environ else DEFAULT_WIDTH,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
