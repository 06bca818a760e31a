"""A rule gives the same verdict on the stream's record and on the Arrow row made from it."""

from __future__ import annotations

import tarfile
from collections import Counter
from pathlib import Path

import pytest
import zstandard

import bigsec

CORRELATIONS = """title: failed
name: failed
logsource: {product: linux, service: sshd}
detection: {s: {message|startswith: Failed}, condition: s}
---
title: many failed
correlation:
  {type: event_count, rules: [failed], group-by: [src_ip], timespan: 5m, condition: {gte: 5}}
---
title: many users
correlation:
  type: value_count
  rules: [failed]
  group-by: [src_ip]
  timespan: 1h
  condition: {field: user, gte: 10}
"""


def test_correlations_find_the_same_in_stream_and_batch(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(CORRELATIONS)
    rules = bigsec.Rules.load(tmp_path / "rules.yml")
    assert [rule.is_correlation for rule in rules.rules] == [False, True, True]
    path = shared_data / "loghub-2k" / "OpenSSH" / "OpenSSH_2k.log.zst"
    scan = bigsec.scan(path, rules)
    streamed = [row for chunk in scan for row in chunk.signals.to_pylist()]
    batched = rules.match(bigsec.read(path, keep_raw=True)).to_pylist()
    names = Counter(row["rule_title"] for row in streamed)
    assert set(names) == {"many failed", "many users"}
    assert names == Counter(row["rule_title"] for row in batched)
    assert sorted(row["signal_id"] for row in streamed) == sorted(
        row["signal_id"] for row in batched
    )
    assert all(len(row["event_ids"]) >= 5 for row in streamed)


@pytest.fixture(scope="module")
def sigma_hq(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> bigsec.Rules:
    """All rules of the shared rule tree."""
    folder = tmp_path_factory.mktemp("rules")
    with (
        (shared_data / "sigma-rules" / "rules.tar.zst").open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as archive,
    ):
        archive.extractall(folder, filter="data")
    return bigsec.Rules.load(folder)


@pytest.mark.parametrize(
    "name",
    [
        "windows-events/sigmahq-regression/raw.ndjson.zst",
        "windows-events/sbousseaden/flat.ndjson.zst",
        "windows-events/mdecrevoisier/raw.ndjson.zst",
        "suricata-eve/eve.ndjson.zst",
        "zeek-tsv-json/smb_files.log.zst",
        "loghub-2k/OpenSSH/OpenSSH_2k.log.zst",
    ],
)
def test_stream_and_batch_give_the_same_signals(
    sigma_hq: bigsec.Rules, shared_data: Path, name: str
) -> None:
    path = shared_data / name
    streamed = Counter(
        row["signal_id"]
        for chunk in bigsec.scan(path, sigma_hq)
        for row in chunk.signals.to_pylist()
    )
    batched = Counter(
        row["signal_id"]
        for batch in bigsec.read(path, keep_raw=True)
        for row in sigma_hq.match(batch).to_pylist()
    )
    assert streamed == batched
    if name.startswith("windows-events"):
        assert streamed
