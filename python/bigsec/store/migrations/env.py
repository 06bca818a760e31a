"""Runs the migrations over the connection that `bigsec.store.upgrade` gives."""

from __future__ import annotations

from alembic import context

from bigsec.store import (  # noqa: F401  # their tables belong to the same metadata
    asset_model,
    log_model,
    silence_model,
)
from bigsec.store.model import Base

connection = context.config.attributes["connection"]
if connection is None:
    raise RuntimeError("migrations run through bigsec.store.upgrade, which gives the connection")

# The caller's transaction holds all of it.
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
