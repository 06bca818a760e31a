"""P5: calls of the real daemon to the disk fail; the simulator tries them one by one."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest
from support import trace
from support.cli import verify
from support.daemon import Daemon
from support.evidence import records
from support.numbered import check, payload, streams
from support.ports import wait_until
from support.relp import RelpSender
from support.scale import scale
from support.sources import Sources

ROUNDS = scale(3, 50)
VISIBLE_S = 2.0
WITHIN_S = 5.0
HEALS_S = 20.0
RECORDS = 1_000
# Segments are rolled and sealed all the time, so that each kind of call happens.
LOG = "segment_bytes = 65536\nsegment_age_s = 1"
# Which calls fail, and how many of them a thread makes in a round at least. A log is cut back only
# after a write that failed.
CALLS = {
    "write": ("pwrite64", 25),
    "ftruncate": ("pwrite64,ftruncate", 2),
    "rename": ("rename,renameat,renameat2,unlink,unlinkat", 2),
    "open": ("openat", 5),
}


@pytest.mark.timeout(scale(120, 1800))
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_p5_a_failed_flush_is_never_acknowledged(tmp_path: Path, error: str) -> None:
    """P5: while flushes fail nothing is acknowledged, the status says so within 2 s, and the daemon
    goes on by itself afterwards; after a failed flush the segment is not written to again."""
    sources = Sources()
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"), window=32)
    daemon = Daemon(tmp_path / "relay", sources.text)
    try:
        daemon.start()
        for number in range(ROUNDS):
            while sender.step(sender.next + 1):
                pass
            segments = set(daemon.evidence.glob("*.seg"))
            with trace.injected(daemon.pid(), "fdatasync,fsync", f"error={error}"):
                acked = len(sender.acked)
                begin = time.monotonic()
                wait_until(lambda: _degraded(daemon, sender), VISIBLE_S, "the status says degraded")
                seen = time.monotonic() - begin
                assert len(sender.acked) == acked, "acknowledged what was not flushed"
                last = max(segments)
                length = last.stat().st_size
            wait_until(lambda: _heals(daemon, sender), HEALS_S, "acks after the disk is well")
            assert not last.exists() or last.stat().st_size <= length, "written to after all"
            print(f"{error} {number}: visible after {seen:.2f} s")
        while sender.step(sender.next):
            pass
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
    check(streams(records(daemon.evidence)), "relp", sender.acked)
    verify(daemon.evidence)


@pytest.mark.timeout(scale(120, 3600))
@pytest.mark.parametrize("kind", CALLS)
def test_p5_the_nth_call_that_fails_costs_no_acknowledged_record(tmp_path: Path, kind: str) -> None:
    """P5: the n-th write, ftruncate, rename or open of each thread fails: the daemon goes on, and
    what it acknowledged is there. It may end by itself where it tells why; it then starts again."""
    sources = Sources()
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"), window=32)
    daemon = Daemon(tmp_path / "relay", sources.text, log=LOG)
    changed = tmp_path / "changed"
    (calls, many), ended, failed = CALLS[kind], 0, 0
    try:
        daemon.start()
        for number in range(1, ROUNDS + 1):
            error = f"error={('EIO', 'ENOSPC')[number % 2]}:when={1 + number % many}"
            with trace.injected(daemon.pid(), calls, error, changed):
                until, end = sender.next + RECORDS, time.monotonic() + WITHIN_S
                while time.monotonic() < end:
                    if not sender.step(until, timeout_s=0.1):
                        if _injected(changed):
                            break
                        until += 1
            failed += _injected(changed)
            if not daemon.running():
                ended += 1
                assert daemon.ended() not in {0, 1}, daemon.tail()
                assert '"level":"error"' in daemon.tail(), daemon.tail()
                daemon.process = None
                daemon.start()
            wait_until(lambda: _heals(daemon, sender), HEALS_S, "acks after the disk is well")
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
    told = f"{kind}: {ROUNDS} rounds, {failed} calls failed, {len(sender.acked):,} acknowledged"
    print(f"{told}, ended {ended} times")
    assert failed >= ROUNDS // 2, "too few calls failed"
    check(streams(records(daemon.evidence)), "relp", sender.acked)
    verify(daemon.evidence)


def _injected(changed: Path) -> int:
    return changed.read_text().count("(INJECTED)") if changed.exists() else 0


def _degraded(daemon: Daemon, sender: RelpSender) -> bool:
    sender.step(sender.next + sender.window, timeout_s=0.1)
    return bool(daemon.status()["health"]["state"] == "degraded")


def _heals(daemon: Daemon, sender: RelpSender) -> bool:
    sender.step(sender.next, timeout_s=0.2)
    return not sender.unacked and daemon.status()["health"]["state"] == "ok"
