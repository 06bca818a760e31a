"""The lake: each event once, found by every way of pruning, whatever was merged meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lakes import batch_of, moment, numbers

from bigsec.errors import LakeError, QueryError
from bigsec.lake import Catalogue, Lake, LakeWriter, Limits, Upkeep

START = moment("2026-11-01T22:00:00Z")


def row(number: int, *, seconds: float = 0, received_s: float | None = None, **more: Any) -> Any:
    when = START + timedelta(seconds=seconds or number)
    received = when if received_s is None else START + timedelta(seconds=received_s)
    return {"n": number, "time": when, "time_received": received, "class_uid": 3002, **more}


def filled(folder: Path, rows: list[Any], per_file: int = 1_000) -> Lake:
    writer = LakeWriter(folder, "log")
    for start in range(0, len(rows), per_file):
        part = rows[start : start + per_file]
        writer.take(batch_of(part), start + len(part))
        writer.seal()
    return Lake(folder)


def test_events_come_latest_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    lake = filled(tmp_path, [row(n) for n in range(1, 101)], per_file=7)
    assert numbers(lake.query(limit=10)) == list(range(100, 90, -1))
    assert numbers(lake.query(limit=None)) == list(range(100, 0, -1))
    assert sorted(numbers(lake.export())) == list(range(1, 101))


def test_files_are_of_one_class_and_one_day_of_receipt(tmp_path: Path) -> None:
    rows = [row(n, seconds=n * 3_600, class_uid=3002 + n % 2) for n in range(1, 9)]
    lake = filled(tmp_path, rows)
    kinds = {(file.day, file.class_uid): file.rows for file in lake.files()}
    assert kinds == {
        ("2026-11-01", 3003): 1,
        ("2026-11-02", 3002): 4,
        ("2026-11-02", 3003): 3,
    }
    assert sorted(numbers(lake.query())) == list(range(1, 9))


def test_what_was_taken_is_not_taken_again(tmp_path: Path) -> None:
    rows = [row(n) for n in range(1, 11)]
    filled(tmp_path, rows)
    again = LakeWriter(tmp_path, "log")
    assert again.position == 10
    again.take(batch_of(rows), 10)
    again.take(batch_of([row(11)]), 11)
    assert again.seal() == 11
    assert LakeWriter(tmp_path, "other").position == -1
    assert sorted(numbers(Lake(tmp_path).query())) == list(range(1, 12))


def test_records_without_events_bring_a_lake_on(tmp_path: Path) -> None:
    writer = LakeWriter(tmp_path, "log")
    writer.take(None, 5)
    assert writer.seal() == 5
    assert Lake(tmp_path).count() == 0


def test_a_log_that_was_set_back_goes_on_from_there(tmp_path: Path) -> None:
    filled(tmp_path, [row(n) for n in range(1, 11)])
    writer = LakeWriter(tmp_path, "log")
    writer.set_back(8)
    assert LakeWriter(tmp_path, "log").position == 8


@settings(max_examples=40)
@given(data=st.data())
def test_pruning_equals_a_full_scan(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Clocks that are wrong and days that end are in it: times lie far from their receipt."""
    moments = st.integers(-200_000, 200_000)
    times = data.draw(st.lists(moments, min_size=1, max_size=40))
    receipts = data.draw(st.lists(moments, min_size=len(times), max_size=len(times)))
    rows = [
        row(n, seconds=at or 1, received_s=got, class_uid=n % 3)
        for n, (at, got) in enumerate(zip(times, receipts, strict=True))
    ]
    folder = tmp_path_factory.mktemp("lake")
    lake = filled(folder, rows, per_file=data.draw(st.integers(1, 10)))
    if data.draw(st.booleans()):
        Upkeep(folder).run()
    low, high = sorted(data.draw(st.tuples(moments, moments)))
    since, until = START + timedelta(seconds=low), START + timedelta(seconds=high)
    expected = [one["n"] for one in rows if since <= one["time"] < until]
    assert sorted(numbers(lake.query(limit=None, since=since, until=until))) == expected
    by_filter = f'time_effective:["{since.isoformat()}" TO "{until.isoformat()}"}}'
    assert lake.count(by_filter) == len(expected)
    assert sum(one.count for one in lake.histogram(seconds=3_600, since=since, until=until)) == len(
        expected
    )


VALUES: dict[str, list[Any]] = {
    "src_ip": ["10.0.0.1", "10.0.0.2", "2001:db8::1", None],
    "dst_ip": ["192.0.2.1", None],
    "user_name": ["root", "Root", "li wei", "用户", None],
    "class_uid": [0, 3002, 4002],
    "severity_id": [0, 1, 5],
    "source": ["a", "b"],
    "parser": ["p", "q"],
}


@settings(max_examples=60)
@given(data=st.data())
def test_pruning_by_any_column_equals_a_full_scan(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    made = st.fixed_dictionaries({name: st.sampled_from(given) for name, given in VALUES.items()})
    rows = [row(n, **one) for n, one in enumerate(data.draw(st.lists(made, max_size=30)), 1)]
    folder = tmp_path_factory.mktemp("lake")
    lake = filled(folder, rows, per_file=data.draw(st.integers(1, 12)))
    if data.draw(st.booleans()):
        Upkeep(folder).run()
    if not rows:
        return
    name = data.draw(st.sampled_from(sorted(VALUES)))
    value = data.draw(st.sampled_from(VALUES[name]))
    asked = f"NOT {name}:*" if value is None else f'{name}:"{value}"'

    def holds(one: Any) -> bool:
        return one[name] == value or str(one[name]).lower() == str(value).lower()

    expected = [one["n"] for one in rows if holds(one)]
    assert sorted(numbers(lake.query(asked, limit=None))) == expected
    others = [one["n"] for one in rows if not holds(one)]
    assert sorted(numbers(lake.query(f"NOT ({asked})", limit=None))) == others


def test_merging_changes_nothing_but_the_number_of_files(tmp_path: Path) -> None:
    rolls = random.Random(1)  # noqa: S311  # no secret
    rows = [row(n, seconds=rolls.randrange(1, 7_000), user_name=f"u{n % 7}") for n in range(600)]
    lake = filled(tmp_path, rows, per_file=3)
    before = numbers(lake.query(limit=None))
    files = len(lake.files())
    assert Upkeep(tmp_path).run() > 0
    assert len(lake.files()) < files / 8
    assert numbers(lake.query(limit=None)) == before
    assert lake.count("user_name:u3") == len([one for one in rows if one["user_name"] == "u3"])


def test_a_query_that_has_begun_reads_on_while_files_are_merged(tmp_path: Path) -> None:
    lake = filled(tmp_path, [row(n) for n in range(1, 2_001)], per_file=50)
    found = lake.export()
    first = next(found)
    Upkeep(tmp_path).run()
    assert sorted(numbers([first, *found])) == list(range(1, 2_001))


def test_two_logs_and_two_upkeeps_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    faults: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # told below
                faults.append(error)

        return threading.Thread(target=run)

    def write(log: str, first: int) -> None:
        writer = LakeWriter(tmp_path, log)
        for number in range(first, first + 60):
            writer.take(batch_of([row(number)]), number - first + 1)
            writer.seal()

    def tend() -> None:
        upkeep = Upkeep(tmp_path)
        for _ in range(25):
            upkeep.run()
            time.sleep(0.02)

    work = [lambda: write("a", 1), lambda: write("b", 101), tend, tend]
    threads = [guarded(one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert faults == []
    assert sorted(numbers(Lake(tmp_path).query(limit=None))) == [*range(1, 61), *range(101, 161)]


def test_files_that_were_replaced_go_when_their_time_is_over(tmp_path: Path) -> None:
    lake = filled(tmp_path, [row(n) for n in range(1, 33)], per_file=1)
    upkeep = Upkeep(tmp_path)
    upkeep.run()
    on_disk = set(tmp_path.rglob("*.parquet"))
    assert len(on_disk) > len(lake.files())
    orphan = tmp_path / "data/2026-11-01/3002/0-dead.parquet"
    orphan.write_bytes(b"of a writer that died")
    upkeep.clean(grace_s=-1, orphan_s=3_600)
    assert orphan.exists()
    upkeep.clean(grace_s=-1, orphan_s=-1)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet")}
    assert left == {file.path for file in lake.files()}
    assert lake.count() == 32


def test_200_days_keep_183(tmp_path: Path) -> None:
    rows = [row(day, seconds=day * 86_400) for day in range(1, 201)]
    lake = filled(tmp_path, rows, per_file=10)
    now = START + timedelta(days=200, hours=1)
    Upkeep(tmp_path, keep_days=183).run(now)
    kept = sorted(numbers(lake.query(limit=None)))
    assert kept[-1] == 200
    assert all((now - START).days - day <= 183 for day in kept)
    assert len(kept) >= 183
    with pytest.raises(ValueError, match="183"):
        Upkeep(tmp_path, keep_days=182)


def test_the_most_frequent_values(tmp_path: Path) -> None:
    rows = [row(n, user_name=None if n == 9 else f"u{n % 3}") for n in range(1, 10)]
    lake = filled(tmp_path, rows)
    top = [(one.value, one.count) for one in lake.top("user_name")]
    assert top == [("u1", 3), ("u2", 3), ("u0", 2), (None, 1)]
    with pytest.raises(QueryError):
        lake.top("user_nam")
    with pytest.raises(QueryError):
        list(lake.query(only=["no_such"]))
    (batch,) = lake.query(only=["user_name"], limit=1)
    assert batch.schema.names == ["user_name"]


def test_polars_reads_the_files(tmp_path: Path) -> None:
    unmapped = [{"name": "a", "value": "1", "kind": 2}, {"name": "a", "value": "2", "kind": 2}]
    filled(tmp_path, [row(n, unmapped=unmapped) for n in range(1, 6)])
    frame = polars.read_parquet(tmp_path / "data/*/*/*.parquet")
    assert frame.height == 5
    assert [one["value"] for one in frame["unmapped"][0]] == ["1", "2"]


def test_a_file_carries_the_field_maps_of_its_events_alone(tmp_path: Path) -> None:
    lake = filled(tmp_path, [row(n) for n in range(1, 4)])
    (file,) = lake.files()
    assert file.bytes < 60_000


def test_there_must_be_a_lake_and_of_a_version_that_is_known(tmp_path: Path) -> None:
    with pytest.raises(LakeError) as none:
        Lake(tmp_path / "nothing")
    assert none.value.code == "BS3205"
    filled(tmp_path, [row(1)])
    with Catalogue(tmp_path)._write() as link:
        link.execute("UPDATE meta SET value = '2'")
    with pytest.raises(LakeError) as newer:
        Lake(tmp_path)
    assert newer.value.code == "BS3202"


def test_a_catalogue_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "catalogue.sqlite3").write_bytes(b"no catalogue" * 400)
    with pytest.raises(LakeError) as broken:
        Lake(tmp_path)
    assert broken.value.code == "BS3203"


def test_t6_a_query_beyond_its_memory_or_time_is_ended(tmp_path: Path) -> None:
    rows = [row(n, message=f"{n} " * 200) for n in range(20_000)]
    filled(tmp_path, rows, per_file=20_000)
    small = Lake(tmp_path, limits=Limits(memory_bytes=4 << 20, spill_bytes=0))
    with pytest.raises(LakeError) as memory:
        list(small.query(limit=None))
    assert memory.value.code == "BS3204"
    short = Lake(tmp_path, limits=Limits(seconds=0.05))
    slow = " OR ".join(f"/(1|2)+ [0-9 ]{{1,{n}}}z/" for n in range(500, 600))
    with pytest.raises(LakeError) as late:
        short.count(slow)
    assert late.value.code == "BS3204"
    assert Lake(tmp_path).count() == 20_000


def test_a_clock_that_is_far_off_breaks_nothing(tmp_path: Path) -> None:
    far = datetime(9999, 12, 31, 23, tzinfo=UTC)
    lake = filled(tmp_path, [row(1), {"n": 2, "time": far, "class_uid": 0}])
    assert numbers(lake.query()) == [2, 1]
