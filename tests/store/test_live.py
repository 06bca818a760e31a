"""The store of a daemon: one writer; a broken one is kept aside and made anew (P16)."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from bigsec.errors import StoreError, StoreLockedError, StoreVersionError
from bigsec.store import live_store, position_of, writer_of
from bigsec.store.logs import begin_chunk


def test_one_writer_and_others_learn_who_it_is(tmp_path: Path) -> None:
    assert writer_of(tmp_path) is None
    with live_store(tmp_path) as live:
        assert live.moved == ()
        assert writer_of(tmp_path) == os.getpid()
        with pytest.raises(StoreLockedError), live_store(tmp_path):
            pass
    assert writer_of(tmp_path) is None


@pytest.mark.parametrize("kind", ["garbage", "header", "half", "meta", "key"])
def test_p16_a_broken_store_is_moved_aside_and_nothing_of_it_is_deleted(
    tmp_path: Path, kind: str
) -> None:
    with live_store(tmp_path) as live, live.store.write() as connection:
        begin_chunk(connection, "0" * 32, "detect", 0, 5)
    path = tmp_path / "bigsec.db"
    raw = bytearray(path.read_bytes())
    if kind == "garbage":
        raw[:] = random.Random(5).randbytes(len(raw))  # noqa: S311  # a fixed seed
    elif kind == "header":
        raw[16:60] = b"\xff" * 44
    elif kind == "half":
        del raw[len(raw) // 2 :]
    path.write_bytes(raw)
    if kind in {"meta", "key"}:
        from bigsec.store.engine import sqlite_module

        connection = sqlite_module().connect(path)
        change = "DROP TABLE meta" if kind == "meta" else "UPDATE meta SET value = 'x'"
        where = "" if kind == "meta" else " WHERE key = 'incident_key'"
        connection.execute(change + where)
        connection.commit()
        connection.close()
    before = path.read_bytes()
    with live_store(tmp_path) as live:
        assert live.moved
        assert any(one.read_bytes() == before for one in live.moved)
        assert position_of(live.store, "0" * 32, "detect") is None
    with live_store(tmp_path) as live:
        assert live.moved == ()


def test_p13_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    with live_store(tmp_path) as live, live.store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreVersionError), live_store(tmp_path):
        pass
    assert not (tmp_path / "damaged").exists()


def test_tokens_can_be_made_beside_a_daemon_but_not_beside_a_scan(tmp_path: Path) -> None:
    from datetime import timedelta

    from bigsec.store import OutputFolder, create_token, list_tokens

    with live_store(tmp_path) as live:
        create_token(tmp_path, "one", lifetime=timedelta(days=1))
        assert [one.name for one in list_tokens(live.store)] == ["one"]
    with OutputFolder(tmp_path), pytest.raises(StoreLockedError):
        create_token(tmp_path, "two", lifetime=timedelta(days=1))


def test_p16_two_hundred_damaged_stores_open_or_are_refused_by_name(tmp_path: Path) -> None:
    """Each is then read on as a daemon does: what fails later is a StoreError, never a defect."""
    good = tmp_path / "good"
    with live_store(good) as live, live.store.write() as connection:
        begin_chunk(connection, "0" * 32, "detect", 0, 5)
    raw = (good / "bigsec.db").read_bytes()
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    choose = random.Random(seed)  # noqa: S311  # printed, to be run again
    moved = refused = unnamed = 0
    for number in range(200):
        folder = tmp_path / str(number)
        folder.mkdir()
        harmed = bytearray(raw)
        for _ in range(choose.choice([1, 4, 64])):
            # The first page says what everything else is.
            where = choose.choice([100, 4096, len(harmed)])
            harmed[choose.randrange(where)] = choose.randrange(256)
        del harmed[choose.choice([len(harmed), choose.randrange(len(harmed))]) :]
        (folder / "bigsec.db").write_bytes(harmed)
        try:
            with live_store(folder) as live:
                moved += bool(live.moved)
                known = position_of(live.store, "0" * 32, "detect") or 0
                with live.store.write() as connection:
                    begin_chunk(connection, "0" * 32, "detect", known, known + 5)
        except StoreError as error:
            refused += str(folder) in str(error)
            unnamed += str(folder) not in str(error)
    assert unnamed == 0
    assert moved > 20
    assert refused < 100


def test_p16_damage_that_is_met_while_running_is_no_crash_loop(tmp_path: Path) -> None:
    from bigsec.store.faults import broken

    def run_into_damage() -> None:
        with live_store(tmp_path):
            raise broken("the store", "a page is damaged")

    with pytest.raises(StoreError):
        run_into_damage()
    with live_store(tmp_path) as live:
        assert [path.name.split("-", 1)[1] for path in live.moved] == ["bigsec.db"]
    with live_store(tmp_path) as live:
        assert live.moved == ()
