"""How far a run is, on stderr: one line that is rewritten on a terminal, nothing in a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from bigsec.cli.wording import text

# Narrow enough for a split window; a line that wraps cannot be rewritten.
WIDTH_MAX = 55
_REDRAW_S = 0.1
_PLAIN_LINE_S = 10.0
_CLEAR = "\r\x1b[2K"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Progress:
    """Shows the bytes read, the rate and the time left.

    live: rewrite one line. plain: print a line every ten seconds instead. Neither: be silent.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        live: bool,
        plain: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._live = live
        self._plain = plain and not live
        self._clock = clock
        self._start = clock()
        self._next = self._start + (_REDRAW_S if live else _PLAIN_LINE_S)
        self._drawn = False

    def update(self, done: int, total: int, name: str) -> None:
        """Show the state, unless it was shown a moment ago. total: 0 where unknown."""
        now = self._clock()
        if not (self._live or self._plain) or now < self._next:
            return
        shown = line(done, total, now - self._start, name)
        if self._live:
            self._stream.write(_CLEAR + shown)
            self._next = now + _REDRAW_S
            self._drawn = True
        else:
            self._stream.write(shown + "\n")
            self._next = now + _PLAIN_LINE_S
        self._stream.flush()

    def clear(self) -> None:
        """Take the line away, so that other text begins on an empty one."""
        if self._drawn:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._drawn = False


def line(done: int, total: int, elapsed_s: float, name: str) -> str:
    """One state on at most `WIDTH_MAX` cells."""
    from rich.cells import cell_len, set_cell_size

    from bigsec.cli.terminal import visible

    # Below a millisecond a rate says nothing.
    rate = done / elapsed_s if elapsed_s >= 0.001 else 0.0
    if total:
        percent = min(100, done * 100 // total)
        shown = f"{percent:3d}% {size(done)}/{size(total)} {size(int(rate))}/s"
        if rate > 0 and done < total:
            shown += " " + text("progress.left", time=_clock_time((total - done) / rate))
    else:
        shown = f"{size(done)} {size(int(rate))}/s"
    name = visible(name.replace("\\", "/").rpartition("/")[2])
    room = WIDTH_MAX - cell_len(shown) - 2
    if room < cell_len(name):
        name = set_cell_size(name, max(0, room - 1)).rstrip() + "…" if room > 3 else ""
    shown = f"{shown}  {name}".rstrip()
    return shown if cell_len(shown) <= WIDTH_MAX else set_cell_size(shown, WIDTH_MAX)


def size(count: int) -> str:
    """A number of bytes for people: three digits and an IEC unit."""
    value = float(count)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{count} B" if unit == "B" else f"{value:.{1 if value < 100 else 0}f} {unit}"


def _clock_time(seconds: float) -> str:
    whole = int(min(seconds, 359_999))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"
