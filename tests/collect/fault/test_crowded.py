"""T5: a crowd of slow connections, and one honest sender among them."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support.cli import verify
from support.daemon import Daemon
from support.evidence import records
from support.loop_disk import needs_root
from support.memory import MemoryCap
from support.numbered import check, payload, streams
from support.relp import RelpSender
from support.scale import scale
from support.sources import Sources

SLOW = 5_000
ADDRESSES = 250
MEMORY_BYTES = 512 << 20
RUN_S = scale(5, 60)
# An honest sender that sends at this rate must keep it.
RATE = 2_000
KEPT = 0.95
GROWTH_BYTES = 48 << 20


@pytest.fixture
def cap() -> Iterator[MemoryCap]:
    """512 MiB; and descriptors for our own side of the connections."""
    needs_root()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SLOW + 1_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), max(hard, wanted)))
    made = MemoryCap(MEMORY_BYTES)
    yield made
    made.remove()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.timeout(scale(180, 600))
@pytest.mark.parametrize("vanish", [False, True])
def test_t5_slow_connections_do_not_slow_an_honest_sender(
    tmp_path: Path, cap: MemoryCap, vanish: bool
) -> None:
    """T5: 5,000 connections of a byte now and then under nofile=1024 and 512 MiB; `vanish` closes
    them by RST while the honest sender is at work."""
    sources = Sources()
    address = sources.listen("relp", "relp")
    honest = RelpSender(address, partial(payload, "relp"), window=256)
    prefix = [*cap.prefix, "prlimit", "--nofile=1024:1024"]
    daemon = Daemon(tmp_path / "relay", sources.text, prefix=prefix)
    crowd: list[socket.socket] = []
    try:
        daemon.start()
        _send_for(honest, 2)
        own = daemon.rss_bytes()
        for number in range(SLOW):
            crowd.append(_slow(address, f"127.0.1.{1 + number % ADDRESSES}"))
        before = len(honest.acked)
        begin = time.monotonic()
        if vanish:
            for connection in crowd[::2]:
                connection.close()
        _send_for(honest, RUN_S, crowd)
        rate = (len(honest.acked) - before) / (time.monotonic() - begin)
        grown = daemon.rss_bytes() - own
        held = daemon.descriptors()
        assert daemon.status()["health"]["state"] == "ok"
        assert daemon.stop() == 0, daemon.tail()
    finally:
        for connection in crowd:
            connection.close()
        daemon.drop()
    print(f"{rate:,.0f} of {RATE:,} records a second, {held} descriptors, {grown >> 10} KiB more")
    check(streams(records(daemon.evidence)), "relp", honest.acked)
    verify(daemon.evidence)
    assert cap.kills() == 0
    assert held < 1024
    assert rate >= KEPT * RATE
    assert grown < GROWTH_BYTES


def _slow(address: tuple[str, int], own: str) -> socket.socket:
    connection = socket.socket()
    connection.settimeout(5)
    connection.bind((own, 0))
    connection.connect(address)
    with contextlib.suppress(OSError):  # turned away already
        connection.send(b"1")
    return connection


def _send_for(sender: RelpSender, seconds: float, crowd: list[socket.socket] | None = None) -> None:
    """Send at the honest rate, and let a few of the crowd say one byte meanwhile."""
    begin, first = time.monotonic(), sender.next
    said = 0
    while (passed := time.monotonic() - begin) < seconds:
        more = sender.step(first + int(passed * RATE), timeout_s=2)
        if crowd and passed * len(crowd) / 60 > said:
            with contextlib.suppress(OSError):
                crowd[said % len(crowd)].send(b" ")
            said += 1
        if not more:
            time.sleep(0.005)
    while sender.step(sender.next, timeout_s=2):
        pass
