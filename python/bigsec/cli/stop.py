"""Ctrl-C as a wish to end: the work in hand is finished and what was found is kept."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType


class Stop:
    """While entered, the first Ctrl-C sets `requested`; the second ends the program at once."""

    def __init__(self) -> None:
        self.requested = False
        self._before: signal.Handlers | int | object = signal.SIG_DFL

    def __call__(self) -> bool:
        """Whether to end."""
        return self.requested

    def __enter__(self) -> Stop:
        """Listen."""
        self._before = signal.signal(signal.SIGINT, self._asked)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signal back to whoever had it."""
        signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
