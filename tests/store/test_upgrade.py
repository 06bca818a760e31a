"""The migrations make exactly the tables of the models, whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bigsec.store import OutputFolder, open_store
from bigsec.store.engine import Pragmas, make_engine, sqlite_module, writing
from bigsec.store.model import Base
from bigsec.store.opening import sqlite_url
from bigsec.store.upgrade import HEAD, MIGRATIONS, alembic_config


def test_the_migrated_schema_is_that_of_the_models(tmp_path: Path) -> None:
    with open_store(tmp_path, create=True) as store, store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_head_is_the_newest_migration_and_there_is_one() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_the_migrations_stand_in_the_package() -> None:
    assert (MIGRATIONS / "env.py").is_file()
    assert any((MIGRATIONS / "versions").glob("v*.py"))


def test_every_store_has_a_secret_of_its_own(tmp_path: Path) -> None:
    with (
        open_store(tmp_path / "a", create=True) as one,
        open_store(tmp_path / "b", create=True) as other,
    ):
        assert len(one.key) == 32
        assert one.key != other.key


def old_store(folder: Path) -> Path:
    """A store as the first version made it, with a file it remembers."""
    folder.mkdir(exist_ok=True)
    path = folder / "bigsec.db"
    engine = make_engine(sqlite_url(str(path)), Pragmas())
    with writing(engine).begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
        connection.exec_driver_sql("INSERT INTO scanned_file VALUES ('ab', 0, 7, 'cd', NULL, 1, 1)")
    engine.dispose()
    return path


def revision(path: Path) -> str:
    """The revision that a file has, without opening it as a store."""
    connection = sqlite_module().connect(path)
    (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return str(found)


def test_a_store_of_the_first_version_opens_with_all_that_was_in_it(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    with open_store(tmp_path) as store:
        assert store.known_files() == [("ab", 0, 7, "cd")]
        with store.read() as connection:
            context = MigrationContext.configure(connection)
            assert compare_metadata(context, Base.metadata) == []
    assert revision(path) == HEAD


def test_an_old_store_can_be_opened_by_many_at_the_same_time(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    ready = threading.Barrier(6, timeout=30)

    def known() -> list[tuple[str, int, int, str]]:
        ready.wait()
        with open_store(tmp_path) as store:
            return store.known_files()

    with ThreadPoolExecutor(6) as pool:
        found = [one.result() for one in [pool.submit(known) for _ in range(6)]]
    assert found == [[("ab", 0, 7, "cd")]] * 6
    assert revision(path) == HEAD


def test_a_scan_upgrades_its_copy_and_leaves_the_old_store_until_the_end(tmp_path: Path) -> None:
    path = old_store(tmp_path)
    with OutputFolder(tmp_path) as output:
        assert output.store.known_files() == [("ab", 0, 7, "cd")]
    assert revision(path) == "0001"
    with OutputFolder(tmp_path) as output:
        output.commit()
    assert revision(path) == HEAD


def test_an_upgrade_killed_at_any_moment_is_done_or_not_begun(tmp_path: Path) -> None:
    seed = time.time_ns()
    print("seed", seed)
    chance = random.Random(seed)  # noqa: S311  # When to kill is no secret.
    for number in range(50):
        path = old_store(tmp_path / str(number))
        child = os.fork()
        if child == 0:
            open_store(path).close()
            os._exit(0)
        time.sleep(chance.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert revision(path) in ("0001", HEAD)
        with open_store(path) as store:
            assert store.known_files() == [("ab", 0, 7, "cd")]


def test_making_a_store_is_whole_or_not_at_all_when_killed(tmp_path: Path) -> None:
    seed = time.time_ns()
    print("seed", seed)
    chance = random.Random(seed)  # noqa: S311  # When to kill is no secret.
    for number in range(25):
        folder = tmp_path / str(number)
        child = os.fork()
        if child == 0:
            open_store(folder, create=True).close()
            os._exit(0)
        time.sleep(chance.uniform(0, 0.15))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with open_store(folder, create=True) as store:
            assert store.known_files() == []
            assert len(store.key) == 32
        check = sqlite_module().connect(folder / "bigsec.db")
        assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        check.close()
