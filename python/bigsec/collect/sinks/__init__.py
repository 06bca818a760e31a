"""Sinks: consumers of the log beside the store, each with a thread and a position of its own.

A sink that is slow or dead holds up nothing: the records stand in the log, and it reads on from its
position when it is back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from bigsec.collect.own_log import OwnLog
from bigsec.collect.settings import LakeSink, Settings, Sink
from bigsec.collect.sinks.file import FileWriter
from bigsec.collect.sinks.http import HttpPoster
from bigsec.collect.sinks.position import Position, read_position, write_position
from bigsec.collect.sinks.running import Delivery, Events, RunningSink
from bigsec.errors import LakeError

__all__ = ["Sinks"]

FILE_RETRY_S_MAX: Final = 2.0
"""A disk that was full takes lines again soon after there is space."""


class Sinks:
    """The sinks of a configuration.

    open_events: reads the log from a sequence on.
    """

    def __init__(
        self, folder: Path, log: str, open_events: Callable[[int], Events], own_log: OwnLog
    ) -> None:
        self.open_events = open_events
        self._folder = folder
        self._log = log
        self._own_log = own_log
        self._wanted: dict[str, Sink] = {}
        self._running: dict[str, RunningSink] = {}

    def not_beyond(self, size: int, settings: Settings) -> None:
        """Set positions back to the end of a log that was itself set back to an older copy."""
        for name, sink in settings.sinks.items():
            if sink.type == "lake":
                self._lake_not_beyond(name, sink, size)
        for path in self._folder.glob("*.json"):
            known = read_position(path, self._log)
            if known is not None and known.sequence > size:
                write_position(path, replace(known, sequence=size))

    def start(self, settings: Settings) -> None:
        """Bring what runs to what is configured: only what has changed is stopped and begun."""
        wanted = dict(settings.sinks)
        for name, sink in list(self._wanted.items()):
            if wanted.get(name) != sink:
                self._running.pop(name).stop()
                del self._wanted[name]
        for name, sink in wanted.items():
            if name not in self._wanted:
                self._begin(name, sink)

    def restart_dead(self) -> None:
        """Begin again what a defect has ended."""
        for name, running in list(self._running.items()):
            if running.is_dead:
                self._own_log.error("sink.died", f"[sinks.{name}] ended by a defect; begun again")
                self._begin(name, self._wanted[name])

    def faults(self) -> dict[str, str | None]:
        """Why each does not get on; None where it does."""
        return {name: running.fault for name, running in self._running.items()}

    def missed(self) -> dict[str, int]:
        """Records that each was never given, since the daemon began."""
        return {name: running.missed for name, running in self._running.items()}

    def lags(self, size: int) -> dict[str, int]:
        """Records that each has not handed over, of a log of so many."""
        return {
            name: max(0, size - max(running.sequence, 0)) for name, running in self._running.items()
        }

    def stop(self, within_s: float) -> None:
        """End all; their positions stand."""
        for running in self._running.values():
            running.stop()
        until = time.monotonic() + within_s
        for running in self._running.values():
            running.join(max(0.0, until - time.monotonic()))

    def _lake_not_beyond(self, name: str, sink: LakeSink, size: int) -> None:
        from bigsec.lake import LakeWriter

        try:
            writer = LakeWriter(Path(sink.path), self._log)
            if writer.position > size:
                writer.set_back(size)
        except (OSError, LakeError) as error:
            # The sink meets it, too, and tries again.
            self._own_log.warning("sink.failing", f"[sinks.{name}] {error}", sink=name)

    def _begin(self, name: str, sink: Sink) -> None:
        def delivery(before: Position | None) -> Delivery:
            if sink.type == "file":
                return FileWriter(sink, before)
            if sink.type == "http":
                return HttpPoster(sink, self._log)
            # Large, and needed where there is a lake.
            from bigsec.collect.sinks.lake import LakeDelivery

            return LakeDelivery(sink, self._log)

        self._wanted[name] = sink
        self._running[name] = RunningSink(
            name,
            self._log,
            self._folder / f"{name}.json",
            lambda sequence: self.open_events(sequence),
            delivery,
            retry_s_max=sink.retry_s_max if sink.type == "http" else FILE_RETRY_S_MAX,
            own_log=self._own_log,
        )
