"""P6: the disk of the log fills up again and again, by our records and by a stranger's file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support.cli import verify
from support.daemon import Daemon
from support.evidence import records
from support.loop_disk import MemoryDisk
from support.numbered import check, payload, streams
from support.ports import wait_until
from support.relp import RelpSender
from support.scale import scale
from support.sources import Sources

ROUNDS = scale(20, 20)
DISK_MB = 16
GROWTH_MB = 2
MIN_FREE = 1 << 20
RECORD_BYTES = 1_000
BACK_S = 5.0
QUIET_S = 0.4
LOG = f"""
segment_bytes = 1048576
reserve_bytes = 1048576
min_free_bytes = {MIN_FREE}
compress = false
checkpoint_s = 1
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[MemoryDisk]:
    """16 MiB."""
    made = MemoryDisk(tmp_path / "disk", DISK_MB)
    yield made
    made.unmount()


@pytest.mark.timeout(240)
def test_p6_a_full_disk_stops_the_acks_and_heals_by_itself(
    tmp_path: Path, disk: MemoryDisk
) -> None:
    """P6: no ack while full, everything acknowledged readable, intake back within 5 s of space."""
    sources = Sources()
    make = partial(payload, "relp", size=RECORD_BYTES)
    sender = RelpSender(sources.listen("relp", "relp"), make, window=64)
    daemon = Daemon(tmp_path / "relay", sources.text, log=LOG, data=disk.path / "data")
    slowest = 0.0
    try:
        daemon.start()
        pid = daemon.pid()
        for number in range(ROUNDS):
            stranger = _fill(sender, disk, by_stranger=number % 2 == 0)
            acked = len(sender.acked)
            assert not _acks_within(sender, QUIET_S), "acknowledged on a full disk"
            assert daemon.status()["health"]["state"] == "degraded"
            assert _readable(daemon) >= acked
            if stranger is not None:
                stranger.unlink()
            else:
                disk.grow(GROWTH_MB)
            begin = time.monotonic()
            wait_until(lambda: _acks_within(sender, 0.05), BACK_S, "acks after space came back")
            slowest = max(slowest, time.monotonic() - begin)
            assert daemon.pid() == pid
            wait_until(
                lambda: daemon.status()["health"]["state"] == "ok", BACK_S, "health is good again"
            )
        while sender.step(sender.next):
            pass
        assert daemon.stop() == 0, daemon.tail()
        check(streams(records(daemon.evidence)), "relp", sender.acked)
        verify(daemon.evidence)
    finally:
        daemon.drop()
    print(f"{ROUNDS} times full, back within {slowest:.2f} s, {len(sender.acked)} acknowledged")


def _fill(sender: RelpSender, disk: MemoryDisk, *, by_stranger: bool) -> Path | None:
    """Fill the disk until acknowledgements stay away."""
    stranger = None
    if by_stranger:
        stranger = disk.path / "stranger"
        with stranger.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 65536):
                    pass
            except OSError:
                pass
    deadline = time.monotonic() + 30
    while _acks_within(sender, QUIET_S):
        assert time.monotonic() < deadline, "the disk does not fill"
    return stranger


def _acks_within(sender: RelpSender, seconds: float) -> bool:
    """Send on; whether something is acknowledged soon."""
    before = len(sender.acked)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sender.step(sender.next + sender.window, timeout_s=0.2)
        if len(sender.acked) > before:
            return True
    return False


def _readable(daemon: Daemon) -> int:
    return sum(one.source == "relp" for one in records(daemon.evidence))
