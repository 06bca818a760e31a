"""Standard input as a stream that can be ended from outside.

A read that blocks would hold up Ctrl-C until the next bytes arrive, so the stream waits for data a
moment at a time and looks whether it is to end.
"""

from __future__ import annotations

import contextlib
import os
import selectors
from collections.abc import Callable

_WAIT_S = 0.1


class StandardInput:
    """Reads a descriptor until its end, or until `stopped` says so.

    stopped: asked before every read and while waiting for one.
    """

    def __init__(self, stopped: Callable[[], bool], descriptor: int = 0) -> None:
        self._stopped = stopped
        self._descriptor = descriptor
        self._selector = selectors.DefaultSelector()
        # A regular file is always ready and refuses to be waited for.
        with contextlib.suppress(PermissionError):
            self._selector.register(descriptor, selectors.EVENT_READ)

    def read(self, size: int) -> bytes:
        """At most `size` bytes, as soon as there are some; none at the end."""
        while not self._stopped():
            if not self._selector.get_map() or self._selector.select(_WAIT_S):
                return os.read(self._descriptor, size)
        return b""
