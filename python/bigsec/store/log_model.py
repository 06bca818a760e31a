"""The tables of what was read from evidence logs, and of what the platform knows about itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bigsec.store.model import Base

__all__ = ["AlarmRow", "ConsumerPositionRow", "LostRangeRow", "SourceLedgerRow", "SourceRhythmRow"]

LOG = String(32)
NAME = String(255)
_NO_ROWID = {"sqlite_with_rowid": False}


class ConsumerPositionRow(Base):
    """How far a consumer has recorded a log: everything before `sequence`.

    Written in the transaction that records the effect, so that each record has its effect once.
    log: the log's key in event ids.
    """

    __tablename__ = "consumer_position"
    __table_args__ = (_NO_ROWID,)

    log: Mapped[str] = mapped_column(LOG, primary_key=True)
    consumer: Mapped[str] = mapped_column(NAME, primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    updated_us: Mapped[int] = mapped_column(BigInteger)


class SourceLedgerRow(Base):
    """What became of a source's records: received = parsed + unparsed + quarantined.

    parsers, reasons: counts by name, as JSON.
    """

    __tablename__ = "source_ledger"
    __table_args__ = (_NO_ROWID,)

    log: Mapped[str] = mapped_column(LOG, primary_key=True)
    source: Mapped[str] = mapped_column(NAME, primary_key=True)
    received: Mapped[int] = mapped_column(BigInteger)
    parsed: Mapped[int] = mapped_column(BigInteger)
    unparsed: Mapped[int] = mapped_column(BigInteger)
    quarantined: Mapped[int] = mapped_column(BigInteger)
    events: Mapped[int] = mapped_column(BigInteger)
    doubles: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    first_received_us: Mapped[int] = mapped_column(BigInteger)
    last_received_us: Mapped[int] = mapped_column(BigInteger)
    clock_skew_us: Mapped[int | None] = mapped_column(BigInteger)
    parsers: Mapped[str] = mapped_column(Text)
    reasons: Mapped[str] = mapped_column(Text)


class LostRangeRow(Base):
    """Records of a log that could not be read any more when their turn came."""

    __tablename__ = "lost_range"
    __table_args__ = (_NO_ROWID,)

    log: Mapped[str] = mapped_column(LOG, primary_key=True)
    first: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    end: Mapped[int] = mapped_column(BigInteger)
    what: Mapped[str] = mapped_column(Text)


class SourceRhythmRow(Base):
    """How long a source is usually silent. gaps: the learned distribution, as JSON."""

    __tablename__ = "source_rhythm"
    __table_args__ = (_NO_ROWID,)

    source: Mapped[str] = mapped_column(NAME, primary_key=True)
    gaps: Mapped[str] = mapped_column(Text)
    updated_us: Mapped[int] = mapped_column(BigInteger)


class AlarmRow(Base):
    """Something about the platform itself that is not as it should be, while it is so."""

    __tablename__ = "alarm"
    __table_args__ = (_NO_ROWID,)

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    subject: Mapped[str] = mapped_column(NAME, primary_key=True)
    raised_us: Mapped[int] = mapped_column(BigInteger)
