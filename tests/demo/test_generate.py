"""The demo tells stories that the engine finds, among lines in which there is nothing to find."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import bigsec
from bigsec.demo import Story, generate, ordinary
from bigsec.demo.journal import Journal

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SIZE_MAX = 300_000


def _signals(folder: Path) -> list[dict[str, object]]:
    rules = bigsec.Rules.load()
    chunks = bigsec.scan(sorted(folder.iterdir()), rules)
    return [signal for chunk in chunks for signal in chunk.signals.to_pylist()]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_story_is_found_by_the_rules_it_names(tmp_path: Path, seed: int) -> None:
    stories = generate(tmp_path, NOW, seed)
    texts: dict[object, str] = defaultdict(str)
    for signal in _signals(tmp_path):
        texts[signal["rule_id"]] += str(signal)
    for story in stories:
        assert set(story.rules) <= set(texts), story.name
        told = "".join(texts[rule] for rule in story.rules)
        missing = [entity for entity in story.entities if entity[1] not in told]
        assert not missing, story.name


def test_ordinary_lines_raise_nothing(tmp_path: Path) -> None:
    for seed in range(5):
        journal = Journal()
        ordinary.write(journal, NOW, random.Random(seed))  # noqa: S311
        journal.write(tmp_path / str(seed), NOW)
        assert _signals(tmp_path / str(seed)) == []


def test_every_line_is_read_and_none_is_later_than_now(tmp_path: Path) -> None:
    generate(tmp_path, NOW)
    reader = bigsec.read(sorted(tmp_path.iterdir()))
    times = [event["time"] for batch in reader for event in batch.to_pylist()]
    received = sum(ledger.received for ledger in reader.ledgers)
    assert received == sum(ledger.parsed for ledger in reader.ledgers) == len(times)
    latest, oldest = (datetime.fromisoformat(pick(times)) for pick in (max, min))
    assert NOW - timedelta(days=1) <= oldest
    assert latest <= NOW


def test_the_office_log_is_not_utf_8_and_is_read_all_the_same(tmp_path: Path) -> None:
    generate(tmp_path, NOW)
    path = tmp_path / "oa.log"
    with pytest.raises(UnicodeDecodeError):
        path.read_bytes().decode("utf-8")
    events = [event for batch in bigsec.read(path) for event in batch.to_pylist()]
    assert any("登录成功" in event.get("message", "") for event in events)
    assert any("隔离失败" in event.get("message", "") for event in events)


def test_the_same_now_and_seed_give_the_same_files(tmp_path: Path) -> None:
    first = generate(tmp_path / "first", NOW, 7)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=8)))
    again = generate(tmp_path / "again", elsewhere, 7)
    assert first == again
    assert all(isinstance(story, Story) for story in first)
    for path in (tmp_path / "first").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
    assert sum(path.stat().st_size for path in (tmp_path / "first").iterdir()) < SIZE_MAX


def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="aware"):
        generate(tmp_path, datetime(2026, 11, 24))
