"""Positions and ledgers of evidence logs, and what the platform knows about itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNTS = ("received", "parsed", "unparsed", "quarantined", "events", "doubles", "bytes")


def upgrade() -> None:
    op.create_table(
        "consumer_position",
        sa.Column("log", sa.String(length=32), nullable=False),
        sa.Column("consumer", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log", "consumer", name=op.f("pk_consumer_position")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_ledger",
        sa.Column("log", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.Column("first_received_us", sa.BigInteger(), nullable=False),
        sa.Column("last_received_us", sa.BigInteger(), nullable=False),
        sa.Column("clock_skew_us", sa.BigInteger(), nullable=True),
        sa.Column("parsers", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log", "source", name=op.f("pk_source_ledger")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "lost_range",
        sa.Column("log", sa.String(length=32), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log", "first", name=op.f("pk_lost_range")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_rhythm",
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("gaps", sa.Text(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_rhythm")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alarm",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("raised_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_alarm")),
        sqlite_with_rowid=False,
    )
