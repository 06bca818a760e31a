"""A sink that writes events to the lake, each once.

How far it has come stands in the lake's own catalogue, beside the files that it brought: the
position that other sinks keep is only a copy here.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

from bigsec.collect.settings import LakeSink
from bigsec.collect.sinks.position import Position
from bigsec.lake import LakeWriter, Upkeep

__all__ = ["LakeDelivery"]

UPKEEP_S: Final = 60.0


class LakeDelivery:
    """Gathers events, seals them in files, and sees to the files between."""

    def __init__(self, settings: LakeSink, log: str) -> None:
        folder = Path(settings.path)
        self._writer = LakeWriter(folder, log)
        self._upkeep = Upkeep(folder, settings.keep_days)
        self._next_upkeep = time.monotonic() + UPKEEP_S
        self._log = log

    def begin(self, known: Position | None) -> Position | None:
        """Where the lake says that it is. The kept position is never ahead of it, save where the
        lake is another than before."""
        position = self._writer.position
        return None if position < 0 else Position(self._log, position)

    def deliver(self, events: Any, first: int, after: int) -> None:
        """Gather events; seal them where they are many."""
        self._writer.take(events, after)

    def mark(self, position: Position) -> Position:
        """How far the lake is: behind what was delivered while it gathers."""
        if self._writer.is_due:
            self._writer.seal()
        if time.monotonic() >= self._next_upkeep:
            self._upkeep.run()
            self._next_upkeep = time.monotonic() + UPKEEP_S
        return Position(position.log, self._writer.position)

    def is_due(self) -> bool:
        """Whether something has waited for as long as it may, or the files are to be seen to."""
        return self._writer.is_due or time.monotonic() >= self._next_upkeep

    def close(self) -> None:
        """What was gathered is read from the log again."""
