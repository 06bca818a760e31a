"""The migrations make exactly the tables of the models, whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bigsec.store import open_store
from bigsec.store.engine import sqlite_module
from bigsec.store.model import Base
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
