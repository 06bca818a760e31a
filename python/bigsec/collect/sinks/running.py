"""One sink at work: a thread that reads the log from its own position and hands events over."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from bigsec.collect.own_log import OwnLog
from bigsec.collect.sinks.http import RefusedError
from bigsec.collect.sinks.position import Position, read_position, write_position
from bigsec.errors import BigsecError, LakeError

__all__ = ["Delivery", "EventChunk", "Events", "RunningSink"]

WAIT_S: Final = 0.5
PAUSE_S: Final = 0.5
STATE_PAUSE_S: Final = 2.0
"""Between attempts to keep a position: its disk is ours, and nobody is to be spared."""


class EventChunk(Protocol):
    """The events of the records `[first, next)`."""

    @property
    def every(self) -> Any: ...
    @property
    def lost(self) -> list[tuple[int, int, str]]: ...
    @property
    def first(self) -> int: ...
    @property
    def next(self) -> int: ...


class Events(Protocol):
    """The events of a log as they come."""

    def next_chunk(self, timeout_s: float) -> EventChunk | None:
        """The next; None where none came in time."""


class Delivery(Protocol):
    """Where events go."""

    def begin(self, known: Position | None) -> Position | None:
        """Where to go on, given the position that was kept; None where it never began."""

    def deliver(self, events: Any, first: int, after: int) -> None:
        """Hand over the events of the records `[first, after)`, None where they gave none; raises
        OSError or RefusedError where they did not arrive."""

    def mark(self, position: Position) -> Position:
        """The position to keep, with what the delivery needs to go on from it: that given, or an
        earlier one where it still gathers what came since."""

    def is_due(self) -> bool:
        """Whether to mark though nothing came: something was gathered for long enough."""

    def close(self) -> None:
        """Let go of what is held."""


class RunningSink:
    """A sink's thread.

    fault: why it does not get on, None while it does.
    missed: records that it never had, since the log did not have them any more.
    """

    def __init__(
        self,
        name: str,
        log: str,
        state: Path,
        open_events: Callable[[int], Events],
        open_delivery: Callable[[Position | None], Delivery],
        *,
        retry_s_max: float,
        own_log: OwnLog,
    ) -> None:
        self.name = name
        self.fault: str | None = None
        self.missed = 0
        self._log = log
        self._state = state
        self._open_events = open_events
        self._open_delivery = open_delivery
        self._retry_s_max = retry_s_max
        self._own_log = own_log
        self._stop = threading.Event()
        self.sequence = -1
        self._kept: Position | None = None
        self._has_begun = False
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)
        self._thread.start()

    @property
    def is_dead(self) -> bool:
        """Whether the thread ended without being asked to."""
        return not self._thread.is_alive() and not self._stop.is_set()

    def stop(self) -> None:
        """Ask it to end; its position stands."""
        self._stop.set()

    def join(self, within_s: float) -> None:
        """Wait for its end. A delivery that hangs is left to die with the process: what it did not
        confirm is sent again."""
        self._thread.join(within_s)

    def _run(self) -> None:
        pause = PAUSE_S
        while not self._stop.is_set():
            try:
                self._work()
            except (OSError, RefusedError, BigsecError) as error:
                self._fail(error)
                # Sinks that failed together must not all come back together.
                self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
                pause = min(pause * 2, self._retry_s_max)

    def _work(self) -> None:
        """From the position on, until something fails or a stop is asked for."""
        self._state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = read_position(self._state, self._log)
        delivery = self._open_delivery(known)
        try:
            known = delivery.begin(known)
            if known is None:
                # Kept before the first line: what a process that dies then wrote is known by it.
                self._keep(delivery.mark(Position(self._log, -1)))
            self.sequence = -1 if known is None else known.sequence
            self._has_begun = self.sequence >= 0
            events = self._open_events(self.sequence)
            read = self.sequence
            while not self._stop.is_set():
                chunk = events.next_chunk(WAIT_S)
                if chunk is not None:
                    read = chunk.next
                    self._hand_over(chunk, delivery)
                elif delivery.is_due():
                    self._hand_over(None, delivery, read)
        finally:
            delivery.close()

    def _hand_over(self, chunk: EventChunk | None, delivery: Delivery, read: int = -1) -> None:
        """Again and again until it has arrived: nothing may be passed over. Without a chunk, what
        was gathered up to `read`."""
        pause = PAUSE_S
        while not self._stop.is_set():
            try:
                if chunk is not None:
                    delivery.deliver(chunk.every, chunk.first, chunk.next)
                position = delivery.mark(Position(self._log, read if chunk is None else chunk.next))
            except (OSError, RefusedError, LakeError) as error:
                self._fail(error)
                self._stop.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
                pause = min(pause * 2, self._retry_s_max)
            else:
                if chunk is not None:
                    self._tell_missed(chunk)
                self._keep(position)
                return

    def _tell_missed(self, chunk: EventChunk) -> None:
        """Say what was passed over; a sink that begins takes the log as it finds it."""
        if not self._has_begun:
            self._has_begun = chunk.every is not None
            return
        for first, end, what in chunk.lost:
            self.missed += end - first
            told = f"[sinks.{self.name}] was not given records {first} to {end - 1}: {what}"
            self._own_log.error("sink.gap", told, sink=self.name, first=first, end=end)

    def _keep(self, position: Position) -> None:
        """Keep the position; a disk that is full does not make what has arrived be sent again. One
        that still gathers stays where it is, and nothing is written."""
        while position != self._kept:
            try:
                write_position(self._state, position)
            except OSError as error:
                self._fail(error)
                if self._stop.wait(STATE_PAUSE_S):
                    return
            else:
                self._kept = position
        self.sequence, self.fault = position.sequence, None

    def _fail(self, error: Exception) -> None:
        told = str(error) or type(error).__name__
        if self.fault is None:
            self._own_log.warning("sink.failing", f"[sinks.{self.name}] {told}", sink=self.name)
        self.fault = told
