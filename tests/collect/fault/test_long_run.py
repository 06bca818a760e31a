"""P14: under steady load nothing grows: memory, descriptors, threads."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from statistics import linear_regression

import pytest
from support.cli import verify
from support.daemon import Daemon
from support.evidence import records
from support.numbered import check, payload, streams
from support.relp import RelpSender
from support.scale import scale
from support.sources import Sources

import bigsec

RULES = Path(bigsec.__file__).parent / "packs" / "rules"
# The memory of what a sender may repeat fills within 17 s at this rate.
WARM_UP_S = scale(30, 60)
RUN_S = scale(24, 240)
RATE = 4_000
RELOAD_S = 5
RULE = """title: a number that ends in {end}
status: stable
logsource: {{product: linux}}
detection: {{s: {{message|endswith: 'number=1{end} '}}, condition: s}}
"""
# The promise is 1 MiB a minute over minutes. In half a minute an allocator's pages weigh more than
# a small leak does: the fast form sees that records or rule sets are kept (a record each: 70 MiB).
SLOPE_BYTES_A_MINUTE = scale(48 << 20, 1 << 20)


@pytest.mark.timeout(scale(120, 900))
def test_p14_a_steady_load_leaks_nothing(tmp_path: Path) -> None:
    """P14: with segments rolled and sealed every few seconds, connections made anew and rules and
    settings taken anew, the slope of the memory is small, and descriptors and threads are as many
    at the end as at the start."""
    sources = Sources()
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"))
    log = "segment_bytes = 2097152\nsegment_age_s = 5"
    rule = tmp_path / "rules" / "one.yml"
    rule.parent.mkdir()
    rule.write_text(RULE.format(end=0))
    more = f"[rules]\npaths = ['{rule.parent}', '{RULES}']\n[watch]\nlag_s = "
    daemon = Daemon(tmp_path / "relay", sources.text, log=log, more=f"{more}300")
    reloads = 0
    samples: list[tuple[float, int, int, int]] = []
    try:
        daemon.start()
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < WARM_UP_S + RUN_S:
            while sender.step(int(passed * RATE)):
                pass
            if passed > reloads * RELOAD_S:
                reloads += 1
                rule.write_text(RULE.format(end=reloads % 10))
                daemon.write_config(sources.text, log=log, more=f"{more}{300 + reloads}")
                daemon.reload()
            if passed > WARM_UP_S:
                counts = (daemon.rss_bytes(), daemon.descriptors(), daemon.threads())
                samples.append((passed, *counts))
            sender.close()
            time.sleep(0.2)
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
    done = daemon.output.read_text().count('"daemon.reloaded"')
    assert done >= reloads - 1, f"{done} of {reloads} reloads: {daemon.tail()}"
    slope, _ = linear_regression([one[0] for one in samples], [one[1] for one in samples])
    grown = f"{slope * 60 / (1 << 20):+.2f} MiB a minute over {RUN_S} s"
    print(f"{grown}, {sender.next:,} records, {done} reloads")
    check(streams(records(daemon.evidence)), "relp", sender.acked)
    verify(daemon.evidence)
    third = len(samples) // 3
    for column, what in ((2, "descriptors"), (3, "threads")):
        first = max(one[column] for one in samples[:third])
        last = max(one[column] for one in samples[-third:])
        assert last <= first + 2, f"{what}: {first} grew to {last}"
    assert slope * 60 <= SLOPE_BYTES_A_MINUTE
