"""Bringing a database to the tables of this version.

The migrations are part of the package. Alembic is imported only where there is something to do:
opening a store that is up to date costs one query.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, inspect, text

from bigsec.store.engine import writing
from bigsec.store.faults import broken, newer

__all__ = ["HEAD", "MIGRATIONS", "alembic_config", "check", "revision_of", "upgrade"]

HEAD: Final = "0004"
"""Revision of the newest migration; a test holds it to the folder."""

MIGRATIONS: Final = Path(__file__).parent / "migrations"

PRODUCT: Final = "bigsec"

_ALEMBIC: Final = threading.Lock()
"""Alembic hands its context to `env.py` through a module, so one thread at a time."""


def revision_of(connection: Connection, place: str) -> str | None:
    """Revision of a store; None where the database is empty.

    Raises StoreError where the database is somebody else's.
    """
    tables = set(inspect(connection).get_table_names())
    if not tables:
        return None
    if not {"meta", "alembic_version"} <= tables:
        raise broken(place, "it is a database, but not a store of bigsec")
    product = connection.execute(text("SELECT value FROM meta WHERE key = 'product'")).scalar()
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if product != PRODUCT or not isinstance(revision, str):
        raise broken(place, "it is a database, but not a store of bigsec")
    return revision


def check(revision: str, place: str) -> None:
    """Raise StoreVersionError where the revision is not one of ours."""
    if revision == HEAD:
        return
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(alembic_config())
    if revision not in {known.revision for known in script.walk_revisions()}:
        raise newer(place, revision)


def upgrade(engine: Engine, place: str) -> None:
    """Bring a store that `check` has passed, or an empty database, to this version.

    In one transaction: a process that dies leaves the old store, and one that comes at the same
    time waits and finds the work done.
    """
    with engine.connect() as connection, connection.begin():
        if revision_of(connection, place) == HEAD:
            return
    from alembic import command

    with _ALEMBIC, writing(engine).begin() as connection:
        command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection | None = None) -> Any:
    """Alembic's configuration over the migrations of the package, wherever it is installed."""
    from alembic.config import Config

    config = Config()
    # Alembic reads its options through a parser to which `%` means something.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
