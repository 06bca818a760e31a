"""Stream, lake and replay give the same signals, over real events."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from lakes import batch_of

import bigsec
from bigsec import _core
from bigsec.lake import Hunted, Lake, LakeWriter, hunt

SETS = ("windows-events/*/*.zst", "loghub-2k/*/*.log.zst", "real-logs/*.zst")
RECEIVED_US = 1_790_000_000_000_000

Key = tuple[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def inputs(shared_data: Path) -> list[tuple[str, bytes]]:
    """Files of development events."""
    made = []
    for pattern in SETS:
        for path in sorted(shared_data.glob(pattern)):
            stream = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes()))
            made.append((path.name.removesuffix(".zst"), stream.read()))
    assert len(made) > 15
    return made


def keys(signals: Iterable[dict[str, Any]]) -> set[Key]:
    return {(one["rule_id"], tuple(one["event_ids"])) for one in signals}


def singles(found: set[Key], rules: bigsec.Rules) -> set[Key]:
    """Without the signals of correlations."""
    ids = {rule.id for rule in rules.rules if rule.is_correlation}
    return {key for key in found if key[0] not in ids}


@pytest.mark.slow
def test_stream_lake_and_replay_give_the_same_signals(
    tmp_path: Path, inputs: list[tuple[str, bytes]]
) -> None:
    rules = bigsec.Rules.load()
    log, lake = tmp_path / "log", tmp_path / "lake"
    stream: set[Key] = set()
    given: list[str | tuple[str, bytes]] = list(inputs)
    scanner = bigsec.Scanner(
        given, rules, bigsec.default_packs(), received_us=RECEIVED_US, evidence=log
    )
    for chunk in scanner:
        stream |= keys(chunk.signals.to_pylist())
    size = _core.EvidenceLog(log).size
    replay: set[Key] = set()
    events = _core.LogEvents(str(log), bigsec.default_packs(), rules=rules, until=size)
    while (part := events.next_chunk(1)) is not None:
        replay |= keys(part.signals.to_pylist())
    writer = LakeWriter(lake, "log")
    every = _core.LogEvents(str(log), bigsec.default_packs(), until=size)
    while (part := every.next_chunk(1)) is not None:
        writer.take(part.every, part.next)
    writer.seal()
    found = list(hunt(Lake(lake), rules))
    hunted = keys(signal for one in found for signal in one.signals)
    assert len(singles(stream, rules)) > 2_000
    assert singles(replay, rules) == singles(stream, rules)
    assert singles(hunted, rules) == singles(stream, rules)
    ordered = rules.match(Lake(lake).events(ordered=True)).to_pylist()
    assert hunted == keys(ordered)
    spoken_of = {event["event_id"] for one in found for event in one.events}
    assert spoken_of == {one for _, ids in hunted for one in ids}


def _rules(folder: Path, *lines: str) -> bigsec.Rules:
    path = folder / "rule.yml"
    path.write_text(
        "title: t\nid: 0b1e21b4-5b1e-4c0e-9c52-000000000001\nstatus: test\nlevel: high\n"
        "logsource: {category: webserver}\ndetection:\n  s:\n" + "\n".join(lines) + "\n"
        "  condition: s\n"
    )
    return bigsec.Rules.load(path)


def test_a_hunt_takes_what_its_filter_takes(tmp_path: Path) -> None:
    lines = "".join(
        f"192.0.2.{n} - - [01/Nov/2026:10:00:{n:02} +0000] "
        f'"GET /{"x" * n}?q=whoami HTTP/1.1" 200 5 '
        f'"-" "curl/8"\n'
        for n in range(10)
    )
    writer = LakeWriter(tmp_path / "lake", "log")
    for batch in bigsec.read(lines.encode(), keep_raw=True):
        writer.take(batch, 10)
    writer.seal()
    rules = _rules(tmp_path, "    cs-uri-query|contains: whoami")
    lake = Lake(tmp_path / "lake")
    whole = _together(hunt(lake, rules))
    assert (len(whole.signals), len(whole.events), whole.looked_at) == (10, 10, 10)
    some = _together(hunt(lake, rules, "src_ip:192.0.2.0/30"))
    assert (len(some.signals), len(some.events), some.looked_at) == (4, 4, 4)


def test_a_hunt_over_nothing_finds_nothing(tmp_path: Path) -> None:
    writer = LakeWriter(tmp_path, "log")
    writer.take(batch_of([]), 1)
    writer.seal()
    assert _together(hunt(Lake(tmp_path), bigsec.Rules.load())) == Hunted([], [], 0)


def _together(parts: Iterable[Hunted]) -> Hunted:
    found = list(parts)
    return Hunted(
        [signal for one in found for signal in one.signals],
        [event for one in found for event in one.events],
        sum(one.looked_at for one in found),
    )
