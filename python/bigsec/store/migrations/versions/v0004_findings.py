"""What scanners found on machines, how important machines are, and silences."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "finding_check",
        sa.Column("asset", sa.String(length=255), nullable=False),
        sa.Column("cve", sa.String(length=32), nullable=False),
        sa.Column("cwe", sa.String(length=32), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=255), nullable=False),
        sa.Column("checked_us", sa.BigInteger(), nullable=False),
        sa.Column("tool", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint(
            "asset",
            "cve",
            "cwe",
            "port",
            "product",
            "checked_us",
            "tool",
            name=op.f("pk_finding_check"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asset",
        sa.Column("asset", sa.String(length=255), nullable=False),
        sa.Column("criticality", sa.SmallInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("asset", name=op.f("pk_asset")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "silence",
        sa.Column("silence_id", sa.String(length=8), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_us", sa.BigInteger(), nullable=False),
        sa.Column("ends_us", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=True),
        sa.Column("entity", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("silence_id", name=op.f("pk_silence")),
    )
