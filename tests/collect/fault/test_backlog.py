"""P8: whatever has piled up, the daemon starts fast and its memory stays under its cap."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support.cli import verify
from support.daemon import Daemon
from support.evidence import records
from support.ledger import assert_ledger_equals
from support.memory import MemoryCap
from support.numbered import payload
from support.ports import wait_until
from support.relp import RelpSender
from support.scale import scale
from support.sources import Sources

BACKLOG_BYTES = scale(200 << 20, 4 << 30)
LINE_BYTES = 1_024
MEMORY_BYTES = 512 << 20
KILLS = 5
ACCEPTS_S = 10.0
# Without a backlog the daemon has its own size; what it may add for any backlog.
GROWTH_BYTES = 160 << 20


@pytest.fixture
def cap() -> Iterator[MemoryCap]:
    """512 MiB."""
    made = MemoryCap(MEMORY_BYTES)
    yield made
    made.remove()


@pytest.mark.timeout(scale(240, 3600))
def test_p8_a_backlog_does_not_slow_the_start_or_fill_the_memory(
    tmp_path: Path, cap: MemoryCap
) -> None:
    """P8: a file of the backlog's size and five kills while it is read; then the whole log again,
    for a store that is new."""
    lines = BACKLOG_BYTES // LINE_BYTES
    backlog = tmp_path / "backlog.log"
    sources = Sources()
    sources.file("file", backlog)
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"))
    daemon = Daemon(tmp_path / "relay", sources.text, prefix=cap.prefix)
    try:
        daemon.start()
        _one_ack(sender)
        own = daemon.rss_bytes()
        assert daemon.stop() == 0
        with backlog.open("wb") as file:
            for number in range(lines):
                file.write(payload("file", number, LINE_BYTES - 1) + b"\n")
        highest, slowest = 0, 0.0
        for number in range(KILLS + 1):
            slowest = max(slowest, _accepts(daemon, sender))
            highest = max(highest, daemon.rss_bytes())
            if number < KILLS:
                time.sleep(0.3)
                highest = max(highest, daemon.rss_bytes())
                daemon.kill()
        wait_until(lambda: _done(daemon, lines), scale(120, 1800), "the backlog is in the log")
        highest = max(highest, daemon.rss_bytes())
        assert daemon.stop(120) == 0, daemon.tail()
        for path in daemon.store.parent.glob("bigsec.db*"):
            path.unlink()
        slowest = max(slowest, _accepts(daemon, sender))
        end = time.monotonic() + scale(10, 120)
        while time.monotonic() < end and _lag(daemon) > 0:
            highest = max(highest, daemon.rss_bytes())
            time.sleep(0.1)
        wait_until(lambda: _lag(daemon) == 0, scale(120, 1800), "the log is read again")
        assert daemon.stop(120) == 0, daemon.tail()
    finally:
        daemon.drop()
    print(f"{own >> 20} MiB idle, {highest >> 20} MiB at most; accepts after {slowest:.1f} s")
    assert cap.kills() == 0, "killed for want of memory"
    assert slowest <= ACCEPTS_S
    assert highest - own <= GROWTH_BYTES
    verify(daemon.evidence)
    assert_ledger_equals(daemon.store, daemon.evidence)
    assert sum(one.source == "file" for one in records(daemon.evidence)) == lines


def _accepts(daemon: Daemon, sender: RelpSender) -> float:
    """Start; seconds until the first acknowledgement."""
    begin = time.monotonic()
    daemon.launch()
    _one_ack(sender)
    return time.monotonic() - begin


def _one_ack(sender: RelpSender) -> None:
    before = len(sender.acked)
    until = sender.next + 1

    def acked() -> bool:
        sender.step(until)
        return len(sender.acked) > before

    wait_until(acked, 60, "one acknowledgement")


def _done(daemon: Daemon, lines: int) -> bool:
    log = daemon.status()["log"]
    return int(log["size"]) >= lines and _lag(daemon) == 0


def _lag(daemon: Daemon) -> int:
    return int(daemon.status()["consumer"]["lag"])
