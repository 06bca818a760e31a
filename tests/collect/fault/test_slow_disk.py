"""P11: every flush of the real daemon is made slow by the kernel's tracer."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import pytest
from support import trace
from support.cli import verify
from support.daemon import Daemon
from support.evidence import records
from support.numbered import check, payload, streams
from support.relp import RelpSender
from support.scale import scale
from support.sources import Sources

RUN_S = scale(6, 60)
SENDERS = 4
WINDOW = 2_000
LEAST_RATE = 2_000
SLOW = "delay_exit=200000"
# Among slow flushes each twentieth takes two seconds.
VERY_SLOW = "delay_exit=2000000:when=1+20"


@pytest.mark.timeout(scale(120, 600))
@pytest.mark.parametrize("delay", [SLOW, VERY_SLOW])
def test_p11_slow_flushes_are_shared_and_lose_nothing(tmp_path: Path, delay: str) -> None:
    """P11: 200 ms more a flush, or 2 s at each twentieth: at least 2,000 records a second, and no
    sender is sent away."""
    sources = Sources()
    address = sources.listen("relp", "relp")
    names = [f"relp-{number}" for number in range(SENDERS)]
    senders = [RelpSender(address, partial(payload, name), window=WINDOW) for name in names]
    daemon = Daemon(tmp_path / "relay", sources.text, prefix=trace.injector("fdatasync", delay))
    try:
        daemon.start()
        until = time.monotonic() + RUN_S
        threads = [threading.Thread(target=_send, args=(one, until)) for one in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        acked = sum(len(one.acked) for one in senders)
        assert daemon.stop(120) == 0, daemon.tail()
    finally:
        daemon.drop()
    print(f"{delay}: {acked / RUN_S:,.0f} acknowledged records a second")
    assert [one.reconnects for one in senders] == [0] * SENDERS
    found = streams(records(daemon.evidence))
    for name, sender in zip(names, senders, strict=True):
        check(found, name, sender.acked)
    verify(daemon.evidence)
    assert acked / RUN_S >= LEAST_RATE


def _send(sender: RelpSender, until: float) -> None:
    while time.monotonic() < until:
        sender.step(sender.next + WINDOW, timeout_s=10)
