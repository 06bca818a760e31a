"""Each record takes effect once, also where the process dies in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bigsec.collect.recording import CONSUMER, Recorder
from bigsec.detect import add_to, correlate, summary
from bigsec.store import Store, ledgers_of, memory_store, open_store, position_of

LOG = "ab" * 16


@dataclass
class Rows:
    """Rows as a batch has them."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def to_pylist(self) -> list[dict[str, Any]]:
        return self.rows


@dataclass
class Ledger:
    """A ledger as the core has it."""

    source: str = "fw"
    received: int = 10
    parsed: int = 9
    unparsed: int = 1
    quarantined: int = 0
    events: int = 10
    doubles: int = 0
    bytes: int = 100
    first_received_us: int = 1
    last_received_us: int = 2
    clock_skew_us: int | None = None
    parsers: dict[str, int] = field(default_factory=lambda: {"syslog": 9})
    reasons: dict[str, int] = field(default_factory=lambda: {"BS1001": 1})


@dataclass
class Chunk:
    """A chunk as the core has it."""

    first: int
    next: int
    signals: Rows = field(default_factory=Rows)
    events: Rows = field(default_factory=Rows)
    ledgers: list[Ledger] = field(default_factory=lambda: [Ledger()])
    lost: list[tuple[int, int, str]] = field(default_factory=list)


class Detection:
    """The detection module, as the command line hands it in."""

    def add(self, connection: Any, signals: Any, events: Any) -> int:
        return add_to(connection, signals, events).new_signals

    def correlate(self, store: Store) -> int:
        return correlate(store).new_incidents


def found(number: int, *, source: str = "fw", parser: str = "syslog") -> tuple[Any, Any]:
    """A signal and its event."""
    import bigsec

    when = f"25/Nov/2026:0{number % 10}:00:00 +0000"
    line = (
        f'192.0.2.{number} - - [{when}] "GET /d?f=../../../../etc/passwd HTTP/1.1" 403 12 "-" "-"'
    )
    scanned = list(bigsec.scan([line], bigsec.Rules.load(), name=source))
    signals = [one for chunk in scanned for one in chunk.signals.to_pylist()]
    events = [one for chunk in scanned for one in chunk.events.to_pylist()]
    return [one | {"parser": parser} for one in signals], events


def chunk(number: int, **more: Any) -> Chunk:
    signals, events = found(number, **more)
    return Chunk(number * 10, number * 10 + 10, Rows(signals), Rows(events))


def test_a_chunk_that_comes_again_changes_nothing() -> None:
    store = memory_store()
    recorder = Recorder(store, LOG, Detection())
    assert recorder.record(chunk(0))
    assert not recorder.record(chunk(0))
    assert recorder.record(chunk(1))
    (ledger,) = ledgers_of(store, LOG)
    assert ledger.received == 20
    assert recorder.signals == 2
    assert recorder.correlate() == 1
    assert recorder.correlate() == 0
    assert position_of(store, LOG, CONSUMER) == 20


def test_a_fault_in_between_undoes_all_of_it() -> None:
    store = memory_store()

    class Broken(Detection):
        def add(self, connection: Any, signals: Any, events: Any) -> int:
            super().add(connection, signals, events)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        Recorder(store, LOG, Broken()).record(chunk(0))
    assert position_of(store, LOG, CONSUMER) is None
    assert summary(store).signals == 0
    assert Recorder(store, LOG, Detection()).record(chunk(0))
    assert summary(store).signals == 1


def test_t17_a_sender_cannot_speak_in_the_platforms_name() -> None:
    store = memory_store()
    recorder = Recorder(store, LOG, Detection())
    recorder.record(chunk(0, parser="bigsec_platform"))
    assert summary(store).signals == 0
    assert recorder.forged == {"fw"}
    recorder.record(chunk(1, parser="bigsec_platform", source="bigsec.watch"))
    assert summary(store).signals == 1
    (ledger, *_) = ledgers_of(store, LOG)
    assert ledger.received == 20  # the record itself is kept and counted


DYING = textwrap.dedent(
    """
    import os, signal, sys
    sys.path.insert(0, sys.argv[1])
    import test_recording as own
    from bigsec.collect import recording
    from bigsec.store import open_store

    place, point, number = sys.argv[2], sys.argv[3], int(sys.argv[4])
    die = lambda: os.kill(os.getpid(), signal.SIGKILL)
    real = getattr(recording, point, None)

    class Detection(own.Detection):
        def add(self, *arguments):
            new = super().add(*arguments)
            if point == "add":
                die()
            return new

    if real is not None:
        def step(*arguments, **more):
            done = real(*arguments, **more)
            die()
            return done
        setattr(recording, point, step)
    with open_store(place, create=True) as store:
        recorder = recording.Recorder(store, own.LOG, Detection())
        recorder.record(own.chunk(number))
        die()
    """
)


def test_p1_a_kill_at_any_step_of_a_chunk_loses_nothing_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    """Before, within and after the transaction; the chunk is then read again."""
    script = tmp_path / "dying.py"
    script.write_text(DYING)
    store = tmp_path / "store"
    points = ("begin_chunk", "add", "add_ledgers", "after")
    for number, point in enumerate(points):
        done = subprocess.run(
            [sys.executable, script, Path(__file__).parent, store, point, str(number)],
            env=os.environ,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL
        with open_store(store) as opened:
            recorded = position_of(opened, LOG, CONSUMER)
            assert recorded == (number * 10 + (10 if point == "after" else 0) or None)
            Recorder(opened, LOG, Detection()).record(chunk(number))
            (ledger,) = ledgers_of(opened, LOG)
            assert ledger.received == ledger.parsed + ledger.unparsed == 10 * (number + 1)
            assert summary(opened).signals == number + 1
