"""Three senders at once, each in a thread of its own: RELP, HTTP and a file that is rotated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from .files import NumberedFile
from .http_push import HttpSender, json_payload
from .numbered import payload
from .relp import RelpSender
from .sources import Sources

TICK_S = 0.02
STREAMS = ("relp", "http", "file")


class Crowd:
    """Each stream gets a third of `total`; `release` lets them send so many more."""

    def __init__(self, folder: Path, total: int, *, rotations: int = 5) -> None:
        self.sources = Sources()
        self.share = total // len(STREAMS)
        self.relp = RelpSender(self.sources.listen("relp", "relp"), partial(payload, "relp"))
        http = self.sources.listen("http", "http")
        self.http = HttpSender(http, lambda number: json_payload(payload("http", number)))
        folder.mkdir(parents=True, exist_ok=True)
        # With the rotated ones: a rotation may come between two looks, or while nobody looks.
        self.sources.file("file", folder / "app.log*")
        self.file = NumberedFile(folder / "app.log", partial(payload, "file"))
        self._rotate_each = max(1, self.share // (rotations + 1))
        self._released = 0.0
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        work = (self._send(self.relp.step), self._send(self.http.step), self._write)
        self._threads = [threading.Thread(target=self._guard, args=(one,)) for one in work]

    @property
    def allowed(self) -> int:
        """How far each stream may go now."""
        return min(self.share, int(self._released))

    def start(self) -> None:
        """Begin; nothing is sent before it is released."""
        for thread in self._threads:
            thread.start()

    def run_for(self, seconds: float, records_a_second: float) -> None:
        """Let the streams send at this rate in all, for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._released += records_a_second * min(TICK_S, left) / len(STREAMS)
            time.sleep(min(TICK_S, left))
            self.check()

    def finish(self, deadline_s: float) -> None:
        """Send all that is left, and wait until all that can be acknowledged is."""
        self._released = float(self.share)
        end = time.monotonic() + deadline_s
        while not self.sent():
            self.check()
            assert time.monotonic() < end, (
                f"not sent in {deadline_s:.0f} s: relp {len(self.relp.acked)}, "
                f"http {len(self.http.acked)}, file {self.file.next} of {self.share}"
            )
            time.sleep(TICK_S)
        self.stop()

    def sent(self) -> bool:
        """Whether everything is acknowledged, or written."""
        whole = self.share
        return len(self.relp.acked) == len(self.http.acked) == self.file.next == whole

    def acked(self) -> dict[str, set[int]]:
        """What has been acknowledged up to now."""
        return {"relp": set(self.relp.acked.copy()), "http": set(self.http.acked.copy())}

    def deafen(self, *, deaf: bool) -> None:
        """Whether senders hear answers from now on."""
        self.relp.deaf = self.http.deaf = deaf

    def check(self) -> None:
        """Raise what a sender's thread raised."""
        if self._failed:
            raise self._failed[0]

    def stop(self) -> None:
        """End the threads."""
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=30)
        self.relp.close()
        self.http.close()
        self.file.close()

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._failed.append(error)

    def _send(self, step: Callable[[int], bool]) -> Callable[[], None]:
        def work() -> None:
            while not self._stop.is_set():
                before = self.relp.reconnects + self.http.reconnects
                more = step(self.allowed)
                broke = self.relp.reconnects + self.http.reconnects > before
                if broke or not more:
                    time.sleep(TICK_S)

        return work

    def _write(self) -> None:
        while not self._stop.is_set():
            count = min(500, self.allowed - self.file.next)
            if count <= 0:
                time.sleep(TICK_S)
                continue
            before = self.file.next // self._rotate_each
            self.file.write(count)
            if self.file.next // self._rotate_each > before:
                self.file.rotate()
