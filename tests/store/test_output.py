"""The output folder holds the old store or the new one, whatever happens."""

from __future__ import annotations

import os
import random
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from bigsec.errors import StoreError, StoreFullError, StoreLockedError, StoreVersionError
from bigsec.store import OutputFolder, Store, open_store
from bigsec.store.engine import sqlite_module
from bigsec.store.model import EventRow

ROWS = 400


def fill(store: Store, mark: str, count: int = ROWS) -> None:
    """Write events that carry a mark."""
    rows = [
        {
            "event_id": f"{mark:>8}{number:024}".replace(" ", "0"),
            "time_effective_us": number,
            "source": mark,
            "parser": "none",
            "raw": "x" * 1000,
            "ocsf": "{}",
        }
        for number in range(count)
    ]
    with store.write() as connection:
        connection.execute(insert(EventRow), rows)


def marks(folder: Path) -> list[str]:
    """The mark of every event in a folder's store."""
    with open_store(folder) as store, store.read() as connection:
        return list(connection.scalars(select(EventRow.source).order_by(EventRow.event_id)))


def make(folder: Path, mark: str) -> None:
    """A scan that ends well."""
    with OutputFolder(folder) as output:
        fill(output.store, mark)
        output.commit()


def overfill(folder: Path) -> None:
    """A scan that finds 4 MB."""
    with OutputFolder(folder) as output:
        for number in range(20):
            fill(output.store, f"new{number}", 200)
        output.commit()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def is_whole(folder: Path) -> bool:
    connection = sqlite_module().connect(folder / "bigsec.db")
    answer = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return bool(answer == [("ok",)])


def test_what_was_committed_is_there_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path / "out", "first")
    assert names(tmp_path / "out") == {"bigsec.db", ".lock"}
    assert marks(tmp_path / "out") == ["first"] * ROWS
    assert is_whole(tmp_path / "out")


def test_a_second_scan_adds_to_the_first(tmp_path: Path) -> None:
    make(tmp_path, "a")
    with open_store(tmp_path) as store:
        key = store.key
    make(tmp_path, "b")
    assert sorted(marks(tmp_path)) == ["a"] * ROWS + ["b"] * ROWS
    with open_store(tmp_path) as store:
        assert store.key == key


def test_leaving_without_commit_leaves_the_old_store(tmp_path: Path) -> None:
    make(tmp_path, "old")
    before = (tmp_path / "bigsec.db").read_bytes()
    with OutputFolder(tmp_path) as output:
        fill(output.store, "new")
    with suppress(RuntimeError), OutputFolder(tmp_path) as output:
        fill(output.store, "new")
        raise RuntimeError
    assert (tmp_path / "bigsec.db").read_bytes() == before
    assert names(tmp_path) == {"bigsec.db", ".lock"}


def test_a_first_scan_that_fails_leaves_no_store(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), OutputFolder(tmp_path / "out") as output:
        fill(output.store, "new")
        raise KeyboardInterrupt
    assert names(tmp_path / "out") == {".lock"}


def test_a_reader_sees_the_old_store_until_the_new_one_is_whole(tmp_path: Path) -> None:
    make(tmp_path, "old")
    with OutputFolder(tmp_path) as output:
        fill(output.store, "new")
        assert set(marks(tmp_path)) == {"old"}
        with open_store(tmp_path) as reader, reader.read() as connection:
            assert len(connection.scalars(select(EventRow.event_id)).all()) == ROWS
            connection.rollback()
            output.commit()
    assert set(marks(tmp_path)) == {"old", "new"}


def test_the_store_can_be_read_by_its_owner_alone_or_by_whom_it_could(tmp_path: Path) -> None:
    make(tmp_path, "a")
    path = tmp_path / "bigsec.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    make(tmp_path, "b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_second_scan_into_the_folder_is_refused_and_names_the_first(tmp_path: Path) -> None:
    code = (
        "import sys, time; from bigsec.store import OutputFolder\n"
        f"with OutputFolder({str(tmp_path)!r}):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == "held\n"
    with (
        pytest.raises(StoreLockedError, match=f"process {child.pid} is writing to") as caught,
        OutputFolder(tmp_path),
    ):
        pass
    assert caught.value.code == "BS3102"
    child.stdin.close()
    assert child.wait(timeout=30) == 0
    child.stdout.close()
    make(tmp_path, "after")


def test_a_second_scan_of_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with OutputFolder(tmp_path) as output:
        fill(output.store, "one")
        with (
            pytest.raises(StoreLockedError, match=f"process {os.getpid()} "),
            OutputFolder(tmp_path),
        ):
            pass
        output.commit()
    assert set(marks(tmp_path)) == {"one"}


def test_what_a_killed_scan_left_is_cleaned_away(tmp_path: Path) -> None:
    make(tmp_path, "old")
    for suffix in ("", "-journal", "-wal", "-shm"):
        (tmp_path / f".bigsec.db.new{suffix}").write_bytes(b"left behind")
    make(tmp_path, "new")
    assert names(tmp_path) == {"bigsec.db", ".lock"}
    assert set(marks(tmp_path)) == {"old", "new"}


def test_a_store_of_a_newer_version_is_not_taken_over(tmp_path: Path) -> None:
    make(tmp_path, "a")
    connection = sqlite_module().connect(tmp_path / "bigsec.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = (tmp_path / "bigsec.db").read_bytes()
    with pytest.raises(StoreVersionError), OutputFolder(tmp_path):
        pass
    assert (tmp_path / "bigsec.db").read_bytes() == before
    assert names(tmp_path) == {"bigsec.db", ".lock"}


def test_a_broken_store_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "bigsec.db").write_bytes(b"something of mine")
    with pytest.raises(StoreError, match="not a SQLite database"), OutputFolder(tmp_path):
        pass
    assert (tmp_path / "bigsec.db").read_bytes() == b"something of mine"


def test_a_store_in_wal_mode_leaves_no_log_for_the_new_one(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store:
        fill(store, "daemon")
    make(tmp_path, "scan")
    assert names(tmp_path) == {"bigsec.db", ".lock"}
    assert set(marks(tmp_path)) == {"daemon", "scan"}
    assert is_whole(tmp_path)


def test_a_store_in_wal_mode_that_is_open_elsewhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bigsec.store.output.BUSY_TIMEOUT_MS", 50)
    with open_store(tmp_path, create=True) as store:
        fill(store, "daemon")
        with store.read() as connection:
            connection.scalars(select(EventRow.event_id)).first()
            with pytest.raises(StoreLockedError), OutputFolder(tmp_path):
                pass
    assert set(marks(tmp_path)) == {"daemon"}


def test_a_writer_with_the_old_file_open_cannot_harm_the_new_one(tmp_path: Path) -> None:
    make(tmp_path, "old")
    writer = sqlite_module().connect(tmp_path / "bigsec.db")
    assert writer.execute("SELECT count(*) FROM event").fetchone() == (ROWS,)
    make(tmp_path, "new")
    with pytest.raises(sqlite_module().OperationalError):
        writer.execute("DELETE FROM event")
    writer.close()
    assert len(marks(tmp_path)) == 2 * ROWS
    assert is_whole(tmp_path)


def test_a_write_in_place_is_waited_for(tmp_path: Path) -> None:
    make(tmp_path, "old")
    writer = sqlite_module().connect(tmp_path / "bigsec.db", check_same_thread=False)
    with OutputFolder(tmp_path) as output:
        fill(output.store, "new")
        writer.execute("UPDATE event SET parser = 'changed' WHERE source = 'old'")
        began = time.monotonic()
        ends = threading.Timer(0.3, writer.rollback)
        ends.start()
        output.commit()
        assert time.monotonic() - began > 0.2
        ends.join()
    writer.close()
    assert len(marks(tmp_path)) == 2 * ROWS
    assert is_whole(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1.5 MiB."""
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", str(mount)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_a_full_disk_is_said_so_and_the_old_store_stands(small_disk: Path) -> None:
    with OutputFolder(small_disk / "out") as output:
        fill(output.store, "old", 100)
        output.commit()
    before = (small_disk / "out" / "bigsec.db").read_bytes()
    with pytest.raises(StoreFullError) as caught:
        overfill(small_disk / "out")
    assert caught.value.code == "BS3103"
    assert str(small_disk / "out") in caught.value.message
    assert ".new" not in caught.value.message
    assert "Free space" in caught.value.problems[0].mend
    assert (small_disk / "out" / "bigsec.db").read_bytes() == before
    assert names(small_disk / "out") == {"bigsec.db", ".lock"}
    with OutputFolder(small_disk / "out") as output:
        fill(output.store, "after", 10)
        output.commit()
    assert set(marks(small_disk / "out")) == {"old", "after"}


def test_a_disk_too_full_for_the_copy_is_said_so(small_disk: Path) -> None:
    with OutputFolder(small_disk) as output:
        fill(output.store, "old", 900)
        output.commit()
    with pytest.raises(StoreFullError), OutputFolder(small_disk):
        pass
    assert len(marks(small_disk)) == 900
    assert names(small_disk) == {"bigsec.db", ".lock"}


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    make(tmp_path, "old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limit[1]))
        with pytest.raises(StoreFullError, match="file size limit"):
            overfill(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert set(marks(tmp_path)) == {"old"}


def test_a_scan_killed_at_any_moment_leaves_the_old_store_or_the_new_one(tmp_path: Path) -> None:
    seed = time.time_ns()
    print("seed", seed)
    chance = random.Random(seed)  # noqa: S311  # When to kill is no secret.
    make(tmp_path, "0")
    began = time.monotonic()
    make(tmp_path, "timed")
    lasts_s = time.monotonic() - began
    kept = ["0", "timed"]
    outcomes = set()
    for number in range(200):
        if number >= 40 and len(outcomes) == 2:
            break
        child = os.fork()
        if child == 0:
            make(tmp_path, f"k{number}")
            os._exit(0)
        time.sleep(chance.uniform(0, 4 * lasts_s))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = marks(tmp_path)
        new = found.count(f"k{number}")
        assert new in (0, ROWS)
        assert {mark: found.count(mark) for mark in kept} == dict.fromkeys(kept, ROWS)
        assert is_whole(tmp_path)
        outcomes.add(new)
        if new:
            kept.append(f"k{number}")
    assert outcomes == {0, ROWS}, "every kill came too early, or too late"
    make(tmp_path, "last")
    assert names(tmp_path) == {"bigsec.db", ".lock"}
    assert set(marks(tmp_path)) == {*kept, "last"}
