"""The tables.

Ids are text of 32 hexadecimal digits, as they stand on the screen and in every output: a store can
be read with any SQLite shell, and the ids are a tenth of it (raw records are the rest). Times are
`BigInteger`, µs since 1970 in UTC, named `*_us`: they sort, subtract and compare alike in SQLite
and PostgreSQL, and no driver can give them a zone. Lists and nested objects are JSON text.

Signals and events are written once. Incidents are a view of them: everything in `incident*` can be
made again from the signals, save the numbers for people and the ids that were given.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, SmallInteger, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "Base",
    "EventRow",
    "IncidentEntityRow",
    "IncidentNumberRow",
    "IncidentRedirectRow",
    "IncidentRow",
    "IncidentSignalRow",
    "MetaRow",
    "ScannedFileRow",
    "SignalEntityRow",
    "SignalEventRow",
    "SignalRow",
]

ID = String(32)
_NO_ROWID = {"sqlite_with_rowid": False}


def _to_incident() -> ForeignKey:
    """Checked at the end of the transaction: what an incident says is made from its members."""
    return ForeignKey("incident.incident_id", deferrable=True, initially="DEFERRED")


class Base(DeclarativeBase):
    """Base of all tables."""

    # Fixed names let a migration name what it changes on every database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class MetaRow(Base):
    """Facts about the store: `product`, `created_us`, `incident_key` (hexadecimal, secret)."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class EventRow(Base):
    """An event that a signal speaks of. ocsf: the event as JSON, without `raw_data`."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "time_effective_us", "event_id"),)

    event_id: Mapped[str] = mapped_column(ID, primary_key=True)
    time_us: Mapped[int | None] = mapped_column(BigInteger)
    time_effective_us: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)
    parser: Mapped[str] = mapped_column(Text)
    raw: Mapped[str | None] = mapped_column(Text)
    ocsf: Mapped[str] = mapped_column(Text)


class SignalRow(Base):
    """One hit of a rule, with the rule's author and licence as they were then."""

    __tablename__ = "signal"
    __table_args__ = (Index(None, "time_us"), Index(None, "source"))

    signal_id: Mapped[str] = mapped_column(ID, primary_key=True)
    time_us: Mapped[int] = mapped_column(BigInteger)
    severity_id: Mapped[int] = mapped_column(SmallInteger)
    level: Mapped[str] = mapped_column(String(16))
    result: Mapped[str] = mapped_column(String(16))
    rule_id: Mapped[str] = mapped_column(Text)
    rule_title: Mapped[str] = mapped_column(Text)
    rule_author: Mapped[str | None] = mapped_column(Text)
    rule_license: Mapped[str | None] = mapped_column(Text)
    rule_path: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    parser: Mapped[str] = mapped_column(Text)
    techniques: Mapped[str] = mapped_column(Text)
    tactics: Mapped[str] = mapped_column(Text)
    cves: Mapped[str] = mapped_column(Text)
    detector: Mapped[str] = mapped_column(Text)
    detector_version: Mapped[str] = mapped_column(Text)
    recorded_us: Mapped[int] = mapped_column(BigInteger)


class SignalEventRow(Base):
    """Which events a signal speaks of. The event itself may have been left out (no raw kept)."""

    __tablename__ = "signal_event"
    __table_args__ = (_NO_ROWID,)

    signal_id: Mapped[str] = mapped_column(ForeignKey("signal.signal_id"), primary_key=True)
    event_id: Mapped[str] = mapped_column(ID, primary_key=True)


class SignalEntityRow(Base):
    """A thing that a signal speaks of. role: source, target or related."""

    __tablename__ = "signal_entity"
    __table_args__ = (_NO_ROWID,)

    signal_id: Mapped[str] = mapped_column(ForeignKey("signal.signal_id"), primary_key=True)
    type: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(String(16))


class IncidentRow(Base):
    """An incident, with its four answers as JSON: `{"values": […], "total": n}` or a reason.

    stale: a rule that it rests on was superseded; what it says must be made again.
    """

    __tablename__ = "incident"
    __table_args__ = (
        Index(None, "severity_id", "last_us", "incident_id"),
        Index(None, "last_us", "incident_id"),
        Index(None, "number", unique=True),
    )

    incident_id: Mapped[str] = mapped_column(ID, primary_key=True)
    number: Mapped[str] = mapped_column(String(16))
    founding_signal_id: Mapped[str] = mapped_column(ForeignKey("signal.signal_id"))
    severity_id: Mapped[int] = mapped_column(SmallInteger)
    level: Mapped[str] = mapped_column(String(16))
    result: Mapped[str] = mapped_column(String(16))
    confidence: Mapped[str] = mapped_column(String(16))
    title_en: Mapped[str] = mapped_column(Text)
    title_zh: Mapped[str] = mapped_column(Text)
    first_us: Mapped[int] = mapped_column(BigInteger)
    last_us: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)
    method: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    weakness: Mapped[str] = mapped_column(Text)
    tactics: Mapped[str] = mapped_column(Text)
    rules: Mapped[int]
    signal_count: Mapped[int]
    event_count: Mapped[int]
    stale: Mapped[bool]
    opened_us: Mapped[int] = mapped_column(BigInteger)
    updated_us: Mapped[int] = mapped_column(BigInteger)


class IncidentSignalRow(Base):
    """The incident a signal belongs to; null while it waits to be grouped."""

    __tablename__ = "incident_signal"
    __table_args__ = (Index(None, "incident_id"), _NO_ROWID)

    signal_id: Mapped[str] = mapped_column(ForeignKey("signal.signal_id"), primary_key=True)
    incident_id: Mapped[str | None] = mapped_column(_to_incident())


class IncidentEntityRow(Base):
    """A thing that signals of an incident speak of, and how many of them."""

    __tablename__ = "incident_entity"
    __table_args__ = (Index(None, "value"), _NO_ROWID)

    incident_id: Mapped[str] = mapped_column(_to_incident(), primary_key=True)
    type: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    signal_count: Mapped[int]


class IncidentRedirectRow(Base):
    """Id and number of an incident that was merged into another, which is never itself merged."""

    __tablename__ = "incident_redirect"
    __table_args__ = (Index(None, "target_id"), Index(None, "number", unique=True))

    incident_id: Mapped[str] = mapped_column(ID, primary_key=True)
    number: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[str] = mapped_column(ForeignKey("incident.incident_id"))
    merged_us: Mapped[int] = mapped_column(BigInteger)


class IncidentNumberRow(Base):
    """The last number for people given in a year."""

    __tablename__ = "incident_number"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    last: Mapped[int]


class ScannedFileRow(Base):
    """A file that was read to its end, known again by what is in it.

    prefix_hash, ordinal: the hash of its first 64 KiB and which of the files that begin so it is.
    """

    __tablename__ = "scanned_file"

    prefix_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    content_hash: Mapped[str] = mapped_column(String(64))
    path: Mapped[str | None] = mapped_column(Text)
    first_seen_us: Mapped[int] = mapped_column(BigInteger)
    last_seen_us: Mapped[int] = mapped_column(BigInteger)
