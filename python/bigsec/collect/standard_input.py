"""Standard input as a stream of lines that can be ended from outside.

A read that blocks would hold up Ctrl-C until the next line arrives, so the stream waits for data
a moment at a time and looks whether it is to end.
"""

from __future__ import annotations

import contextlib
import os
import selectors
from collections.abc import Callable, Iterator

_READ_BYTES = 256 * 1024
_WAIT_S = 0.1
# A line that grows beyond the longest record is handed on in pieces, so that a stream without line
# ends costs no more memory than a record may.
_LINE_BYTES_MAX = 64 * 1024 * 1024


def standard_input(stopped: Callable[[], bool], descriptor: int = 0) -> Iterator[bytes]:
    """Whole lines as they arrive, several at a time, until the end or until `stopped` says so."""
    pieces: list[bytes] = []
    held = 0
    for chunk in _chunks(stopped, descriptor):
        head, end, tail = chunk.rpartition(b"\n")
        if end:
            yield b"".join([*pieces, head, end])
            pieces, held = [], 0
        pieces.append(tail)
        held += len(tail)
        if held >= _LINE_BYTES_MAX:
            yield b"".join(pieces)
            pieces, held = [], 0
    if held:
        yield b"".join(pieces)


def _chunks(stopped: Callable[[], bool], descriptor: int) -> Iterator[bytes]:
    with selectors.DefaultSelector() as selector:
        # A regular file is always ready and refuses to be waited for.
        with contextlib.suppress(PermissionError):
            selector.register(descriptor, selectors.EVENT_READ)
        while not stopped():
            if selector.get_map() and not selector.select(_WAIT_S):
                continue
            chunk = os.read(descriptor, _READ_BYTES)
            if not chunk:
                return
            yield chunk
