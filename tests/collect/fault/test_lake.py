"""P9, P16: a lake beside the daemon has every event once, whatever is killed when."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.evidence import records
from support.numbered import number_of, payload
from support.ports import wait_until
from support.relp import RelpSender
from support.scale import dice, scale
from support.sources import Sources

from bigsec.errors import LakeError
from bigsec.lake import Lake

KILLS = scale(4, 60)
RECORDS = 2_000


@pytest.mark.timeout(scale(240, 3600))
def test_p9_a_killed_daemon_leaves_each_event_in_the_lake_once(tmp_path: Path) -> None:
    rolls, lake = dice(), tmp_path / "lake"
    sources = Sources()
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"))
    sink = f'[sinks.lake]\ntype = "lake"\npath = "{lake}"\n'
    daemon = Daemon(tmp_path / "relay", sources.text, more=sink)
    try:
        for kill in range(1, KILLS + 1):
            daemon.start()
            while sender.step(RECORDS * kill // KILLS):
                pass
            time.sleep(rolls.uniform(0, 5))
            daemon.kill()
        daemon.start()
        began = time.monotonic()
        wait_until(lambda: _held(lake) >= RECORDS, 60, "all events are in the lake")
        print(f"{RECORDS} events, the last found after {time.monotonic() - began:.1f} s")
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
    messages = [text for one in Lake(lake).export() for text in one["message"].to_pylist()]
    numbers = [found[1] for text in messages if (found := number_of(text.encode()))]
    assert set(numbers) == set(range(RECORDS))
    kept = sum(one.source == "relp" for one in records(daemon.evidence))
    ids = [value for one in Lake(lake).export() for value in one["event_id"].to_pylist()]
    assert len(ids) == len(set(ids))
    assert Lake(lake).count("source:relp") == kept


def _held(lake: Path) -> int:
    try:
        return Lake(lake).count("source:relp")
    except LakeError as error:
        if error.code != "BS3205":
            raise
        return 0
