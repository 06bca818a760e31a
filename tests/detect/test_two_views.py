"""A rule gives the same verdict on the stream's record and on the Arrow row made from it."""

from __future__ import annotations

import tarfile
from collections import Counter
from pathlib import Path

import pytest
import zstandard

import bigsec


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
