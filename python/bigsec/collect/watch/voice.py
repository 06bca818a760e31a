"""How the platform speaks of itself: records of its own in the evidence log.

They go the way of every other record, so that they are kept, provable, and become incidents by
rules. A thread of its own hands them over: a log that takes nothing must not hold up the watch.
"""

from __future__ import annotations

import json
import queue
import threading
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from bigsec.collect.own_log import OwnLog
from bigsec.errors import BigsecError

__all__ = ["SOURCE", "Platform", "Voice"]

SOURCE: Final = "bigsec.watch"
WAITING_MAX: Final = 1_000
"""State changes that wait for the log; more than that at a time are told in the daemon's own log
alone."""
PAUSE_S: Final = 1.0


class Platform(Protocol):
    """What of the core is needed here."""

    def append(self, source: str, records: list[bytes]) -> int:
        """Put records into the log; returns when they are durable."""


class Voice:
    """Puts events of the platform into the log, in order."""

    def __init__(self, platform: Platform, relay: str, log: OwnLog) -> None:
        self._platform = platform
        self._relay = relay
        self._log = log
        self._waiting: queue.Queue[bytes | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._ending = threading.Event()
        self._thread.start()

    def say(self, kind: str, state: str, subject: str, detail: str, **more: Any) -> None:
        """Tell of a change of state."""
        time = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        event = {
            "time": time,
            "platform_event": kind,
            "state": state,
            "subject": subject,
            # What ails is what an incident is about: alarms of one source are one matter, those of
            # another source, or of the relay itself, are not.
            "node": subject,
            "host": self._relay,
            "detail": detail,
            **{name: value for name, value in more.items() if value is not None},
        }
        level: Any = "warning" if state == "raised" else "info"
        self._log.write(level, f"watch.{kind}", detail, state=state, subject=subject)
        try:
            self._waiting.put_nowait(json.dumps(event, ensure_ascii=False).encode())
        except queue.Full:
            self._log.error("watch.unheard", "the log takes no events of the platform", kind=kind)

    def end(self, within_s: float) -> None:
        """Hand over what waits, as far as the time allows."""
        self._ending.set()
        try:
            self._waiting.put(None, timeout=within_s)
        except queue.Full:
            return
        self._thread.join(within_s)

    def _run(self) -> None:
        while (event := self._waiting.get()) is not None:
            while True:
                try:
                    self._platform.append(SOURCE, [event])
                    break
                except BigsecError as error:
                    # The log heals by itself or is being closed; only the latter is an end.
                    if self._ending.wait(PAUSE_S):
                        self._log.failed(error, "warning")
                        return
