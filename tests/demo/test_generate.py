"""The demo tells stories that the engine finds, among lines in which there is nothing to find."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

import bigsec
from bigsec.demo import Story, generate, ordinary
from bigsec.demo.journal import Journal
from bigsec.demo.render import DNS_HEADER
from bigsec.detect import IncidentDetail, add, correlate, get_incident, list_incidents
from bigsec.store import memory_store

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LINES_MIN = 40_000
SIZE_MAX = 15_000_000
MOMENTS = (
    (NOW, 1),
    (datetime(2026, 11, 25, 3, 17, 9, 250_000, tzinfo=UTC), 2),
    (datetime(2027, 1, 1, 0, 20, tzinfo=UTC), 3),
    (datetime(2027, 1, 1, 9, 0, tzinfo=timezone(timedelta(hours=8))), 4),
    (datetime(2026, 3, 1, 4, 0, tzinfo=UTC), 5),
    (datetime(2028, 2, 29, 13, 37, tzinfo=UTC), 6),
    (datetime(2028, 3, 1, 0, 0, tzinfo=UTC), 7),
)


def _incidents(folder: Path) -> list[IncidentDetail]:
    """What a scan makes of the files, as `bigsec demo` runs it."""
    with memory_store() as store:
        for chunk in bigsec.scan(sorted(folder.iterdir()), bigsec.Rules.load()):
            add(store, chunk.signals.to_pylist(), chunk.events.to_pylist())
        correlate(store)
        page = list_incidents(store, limit=1000)
        return [get_incident(store, one.incident_id) for one in page.incidents]


@pytest.mark.parametrize(("now", "seed"), MOMENTS, ids=[str(seed) for _, seed in MOMENTS])
def test_every_story_is_one_incident(tmp_path: Path, now: datetime, seed: int) -> None:
    stories = generate(tmp_path, now, seed)
    incidents = _incidents(tmp_path)
    telling = []
    for story in stories:
        (found,) = [
            one
            for one in incidents
            if {signal.rule_id for signal in one.signals} >= set(story.rules)
        ]
        named = {(entity.type, entity.value) for entity in found.entities}
        assert set(story.entities) <= named, story.name
        assert now - timedelta(days=1) <= found.first <= found.last <= now
        telling.append(found.incident_id)
    assert len(set(telling)) == len(stories) == 5
    others = [one for one in incidents if one.incident_id not in telling]
    assert {one.level for one in others} <= {"low", "informational"}


def test_ordinary_lines_raise_nothing_above_low(tmp_path: Path) -> None:
    for seed in range(3):
        journal = Journal()
        ordinary.write(journal, NOW, random.Random(seed))  # noqa: S311
        journal.write(tmp_path / str(seed), NOW)
        rules = bigsec.Rules.load()
        chunks = bigsec.scan(sorted((tmp_path / str(seed)).iterdir()), rules)
        levels = [row["level"] for chunk in chunks for row in chunk.signals.to_pylist()]
        assert set(levels) <= {"low", "informational"}
        assert len(levels) < 10


@pytest.mark.parametrize(("now", "seed"), MOMENTS[:4], ids=[str(seed) for _, seed in MOMENTS[:4]])
def test_every_line_is_read_and_dated_within_the_day(
    tmp_path: Path, now: datetime, seed: int
) -> None:
    generate(tmp_path, now, seed)
    reader = bigsec.read(sorted(tmp_path.iterdir()))
    times = [event["time"] for batch in reader for event in batch.to_pylist()]
    received = sum(ledger.received for ledger in reader.ledgers)
    assert received == sum(ledger.parsed for ledger in reader.ledgers)
    # A Zeek log has a head, which tells how to read what follows.
    assert received - len(DNS_HEADER) == len(times)
    assert received > LINES_MIN
    assert not any(ledger.problems for ledger in reader.ledgers)
    latest, oldest = (datetime.fromisoformat(pick(times)) for pick in (max, min))
    assert now - timedelta(days=1) <= oldest
    assert latest <= now


def test_the_files_are_of_several_formats_and_say_that_they_are_invented(tmp_path: Path) -> None:
    generate(tmp_path, NOW)
    reader = bigsec.read(sorted(tmp_path.iterdir()))
    parsers = {event["parser"] for batch in reader for event in batch.to_pylist()}
    assert len(parsers) >= 6
    assert all(path.name.startswith("demo-") for path in tmp_path.iterdir())


def test_the_office_log_is_not_utf_8_and_is_read_all_the_same(tmp_path: Path) -> None:
    generate(tmp_path, NOW)
    path = tmp_path / "demo-oa.log"
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
