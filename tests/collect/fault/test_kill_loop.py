"""P1, P15: the daemon is killed again and again while three senders write to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.cli import verify
from support.crowd import STREAMS, Crowd
from support.daemon import Daemon
from support.evidence import records
from support.ledger import assert_ledger_equals, integrity
from support.numbered import check, streams
from support.ports import wait_until
from support.scale import dice, scale

KILLS = scale(15, 200)
RECORDS = scale(60_000, 1_000_000)
SHORTEST_S, LONGEST_S = 0.020, 1.5


@pytest.mark.timeout(scale(240, 3600))
def test_p1_p15_kill_loop_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """P1: nothing acknowledged is lost, order kept, doubles marked, ledger equal; P15: the store
    is whole after each kill."""
    random = dice()
    crowd = Crowd(tmp_path / "sender", RECORDS)
    daemon = Daemon(tmp_path / "relay", crowd.sources.text, log="segment_bytes = 4194304")
    rate = RECORDS / (KILLS * (SHORTEST_S + LONGEST_S) / 2)
    crowd.start()
    try:
        for _ in range(KILLS):
            daemon.start()
            crowd.run_for(random.uniform(SHORTEST_S, LONGEST_S), rate)
            daemon.kill()
            assert integrity(daemon.store, tmp_path / "copy") == "ok"
        daemon.start()
        crowd.finish(deadline_s=scale(60, 600))
        wait_until(lambda: _held(daemon, "file") >= crowd.share, 60, "the file is in the evidence")
        assert daemon.stop() == 0, daemon.tail()
    finally:
        crowd.stop()
        daemon.drop()
    verify(daemon.evidence)
    found = streams(records(daemon.evidence))
    for name in STREAMS:
        held = check(found, name, range(crowd.share))
        print(f"{name}: {crowd.share} sent, {held.records - crowd.share} doubles, all marked")
    print(f"kills: {KILLS}; reconnects: relp {crowd.relp.reconnects}, http {crowd.http.reconnects}")
    assert_ledger_equals(daemon.store, daemon.evidence)
    shutil.rmtree(daemon.data)


def _held(daemon: Daemon, source: str) -> int:
    return sum(one.source == source for one in records(daemon.evidence))
