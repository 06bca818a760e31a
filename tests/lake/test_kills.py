"""P9: a writer and its upkeep are killed anywhere, with readers beside them: no event is missing,
none is there twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from lakes import numbers

from bigsec.errors import LakeError
from bigsec.lake import Lake

KILLS = 100 if os.environ.get("BIGSEC_SOAK") == "1" else 15
READERS = 8
EACH = 5
"""Events a seal."""


def write_and_tend(folder: Path) -> None:
    """Seal file after file and merge them, until killed."""
    from lakes import batch_of, moment

    from bigsec.lake import LakeWriter, Upkeep

    start = moment("2026-11-01T00:00:00Z")
    writer, upkeep = LakeWriter(folder, "log"), Upkeep(folder)
    while True:
        first = max(writer.position, 0)
        rows = [{"n": n, "time": start, "class_uid": 3002} for n in range(first, first + EACH)]
        writer.take(batch_of(rows), first + EACH)
        writer.seal()
        upkeep.run()
        upkeep.clean(grace_s=5, orphan_s=2)


class Reading(threading.Thread):
    """Reads the lake again and again; what it sees must be whole each time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self.stop = threading.Event()
        self.fault: str | None = None
        self.reads = 0

    def run(self) -> None:
        """Read until stopped, or until something is wrong."""
        least = 0
        while not self.stop.is_set() and self.fault is None:
            try:
                found = sorted(numbers(Lake(self._folder).query(limit=None, only=["event_id"])))
            except Exception as error:  # told by the test
                self.fault = f"{type(error).__name__}: {error}"
                return
            if found != list(range(len(found))) or len(found) < least:
                self.fault = f"{len(found)} events, {len(set(found))} different, {least} before"
            least = len(found)
            self.reads += 1
            # Eight without a pause would leave the writer no processor.
            time.sleep(0.4)


@pytest.mark.timeout(60 + KILLS * 12)
def test_p9_killed_writers_leave_each_event_once_under_readers(tmp_path: Path) -> None:
    rolls = random.Random(5)  # noqa: S311  # dice
    folder = tmp_path / "lake"
    readers = [Reading(folder) for _ in range(READERS)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    for kill in range(KILLS):
        child = subprocess.Popen([sys.executable, __file__, str(folder)], env=environment)
        try:
            while not _holds_events(folder):
                assert child.poll() is None
                time.sleep(0.05)
            if kill == 0:
                for reader in readers:
                    reader.start()
            time.sleep(rolls.uniform(0.5, 3.0))
            assert child.poll() is None, "the writer ended by itself"
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert [one.fault for one in readers] == [None] * READERS
    for reader in readers:
        reader.stop.set()
        reader.join(30)
    assert [one.fault for one in readers] == [None] * READERS
    lake = Lake(folder)
    found = sorted(numbers(lake.query(limit=None, only=["event_id"])))
    assert found == list(range(len(found)))
    assert any(file.level > 0 for file in lake.files())
    print(f"{KILLS} kills, {len(found)} events, {sum(one.reads for one in readers)} reads")


def _holds_events(folder: Path) -> bool:
    try:
        return Lake(folder).count() > 0
    except LakeError as error:
        if error.code != "BS3205":
            raise
        return False


if __name__ == "__main__":
    write_and_tend(Path(sys.argv[1]))
