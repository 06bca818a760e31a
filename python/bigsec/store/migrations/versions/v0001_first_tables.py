"""The first tables: signals with their events, incidents, files that were scanned."""

from __future__ import annotations

import secrets
import time

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY_BYTES = 32


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=True),
        sa.Column("time_effective_us", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("parser", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.Column("ocsf", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
    )
    op.create_table(
        "incident_number",
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_incident_number")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
    )
    op.create_table(
        "scanned_file",
        sa.Column("prefix_hash", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("prefix_hash", "ordinal", name=op.f("pk_scanned_file")),
    )
    op.create_table(
        "signal",
        sa.Column("signal_id", sa.String(length=32), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("severity_id", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("rule_title", sa.Text(), nullable=False),
        sa.Column("rule_author", sa.Text(), nullable=True),
        sa.Column("rule_license", sa.Text(), nullable=True),
        sa.Column("rule_path", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("parser", sa.Text(), nullable=False),
        sa.Column("techniques", sa.Text(), nullable=False),
        sa.Column("tactics", sa.Text(), nullable=False),
        sa.Column("cves", sa.Text(), nullable=False),
        sa.Column("detector", sa.Text(), nullable=False),
        sa.Column("detector_version", sa.Text(), nullable=False),
        sa.Column("recorded_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_signal")),
    )
    op.create_index(op.f("ix_signal_source"), "signal", ["source"], unique=False)
    op.create_index(op.f("ix_signal_time_us"), "signal", ["time_us"], unique=False)
    op.create_table(
        "incident",
        sa.Column("incident_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("founding_signal_id", sa.String(length=32), nullable=False),
        sa.Column("severity_id", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.String(length=16), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("weakness", sa.Text(), nullable=False),
        sa.Column("tactics", sa.Text(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("signal_count", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["founding_signal_id"],
            ["signal.signal_id"],
            name=op.f("fk_incident_founding_signal_id"),
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident")),
    )
    op.create_index(
        op.f("ix_incident_last_us_incident_id"),
        "incident",
        ["last_us", "incident_id"],
        unique=False,
    )
    op.create_index(op.f("ix_incident_number"), "incident", ["number"], unique=True)
    op.create_index(
        op.f("ix_incident_severity_id_last_us_incident_id"),
        "incident",
        ["severity_id", "last_us", "incident_id"],
        unique=False,
    )
    op.create_table(
        "signal_entity",
        sa.Column("signal_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["signal.signal_id"], name=op.f("fk_signal_entity_signal_id")
        ),
        sa.PrimaryKeyConstraint("signal_id", "type", "value", name=op.f("pk_signal_entity")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signal_event",
        sa.Column("signal_id", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["signal.signal_id"], name=op.f("fk_signal_event_signal_id")
        ),
        sa.PrimaryKeyConstraint("signal_id", "event_id", name=op.f("pk_signal_event")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incident_entity",
        sa.Column("incident_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("signal_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.incident_id"],
            name=op.f("fk_incident_entity_incident_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint(
            "incident_id", "type", "value", "role", name=op.f("pk_incident_entity")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_incident_entity_value"), "incident_entity", ["value"], unique=False)
    op.create_table(
        "incident_redirect",
        sa.Column("incident_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("target_id", sa.String(length=32), nullable=False),
        sa.Column("merged_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["target_id"], ["incident.incident_id"], name=op.f("fk_incident_redirect_target_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_redirect")),
    )
    op.create_index(
        op.f("ix_incident_redirect_number"), "incident_redirect", ["number"], unique=True
    )
    op.create_index(
        op.f("ix_incident_redirect_target_id"), "incident_redirect", ["target_id"], unique=False
    )
    op.create_table(
        "incident_signal",
        sa.Column("signal_id", sa.String(length=32), nullable=False),
        sa.Column("incident_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.incident_id"],
            name=op.f("fk_incident_signal_incident_id"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["signal_id"], ["signal.signal_id"], name=op.f("fk_incident_signal_signal_id")
        ),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_incident_signal")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_incident_signal_incident_id"), "incident_signal", ["incident_id"], unique=False
    )
    facts = sa.table("meta", sa.column("key", sa.String), sa.column("value", sa.Text))
    op.bulk_insert(
        facts,
        [
            {"key": "product", "value": "bigsec"},
            {"key": "created_us", "value": str(time.time_ns() // 1000)},
            {"key": "incident_key", "value": secrets.token_hex(KEY_BYTES)},
        ],
    )
