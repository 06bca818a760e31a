"""P1: the power fails under the daemon; what it had acknowledged is on the disk."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.cli import verify
from support.crowd import Crowd
from support.daemon import Daemon
from support.evidence import records
from support.loop_disk import LoopDisk
from support.numbered import check, streams
from support.scale import dice, scale

CUTS = scale(5, 100)
RECORDS = scale(30_000, 600_000)
RUN_S = (0.2, 1.2)


@pytest.mark.timeout(scale(180, 3600))
def test_p1_power_cut_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """P1: after each cut every acknowledged record is read from the disk before the daemon has
    touched it, and the log it left is whole again after the restart."""
    random = dice()
    disk = LoopDisk(tmp_path / "loop", megabytes=scale(192, 1024))
    crowd = Crowd(tmp_path / "sender", RECORDS)
    daemon = Daemon(
        tmp_path / "relay",
        crowd.sources.text,
        log="segment_bytes = 1048576\nreserve_bytes = 1048576\nmin_free_bytes = 1048576",
        data=disk.path / "data",
    )
    rate = RECORDS / (CUTS * sum(RUN_S) / 2)
    crowd.start()
    canaries_lost = 0
    try:
        for number in range(CUTS):
            daemon.start()
            crowd.run_for(random.uniform(*RUN_S), rate)
            canary = disk.path / f"unflushed-{number}"
            canary.write_bytes(b"x" * 65536)
            crowd.deafen(deaf=True)
            disk.cut()
            time.sleep(0.1)
            daemon.kill()
            acked = crowd.acked()
            crowd.deafen(deaf=False)
            disk.unmount()
            disk.mount()
            canaries_lost += not canary.exists() or canary.stat().st_size == 0
            found = streams(records(daemon.evidence))
            for name, numbers in acked.items():
                check(found, name, numbers)
        daemon.start()
        crowd.finish(deadline_s=scale(60, 600))
        assert daemon.stop() == 0, daemon.tail()
        verify(daemon.evidence)
        found = streams(records(daemon.evidence))
        for name in ("relp", "http"):
            check(found, name, range(crowd.share))
    finally:
        crowd.stop()
        daemon.drop()
        disk.unmount()
    assert canaries_lost == CUTS, "the cut did not lose what was not flushed: it proves nothing"
    print(f"{CUTS} power cuts, {canaries_lost} unflushed files lost, 0 acknowledged records lost")
