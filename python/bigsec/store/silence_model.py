"""The table of what nobody needs to be told of, for a while."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bigsec.store.model import Base

__all__ = ["SilenceRow"]


class SilenceRow(Base):
    """Signals that nobody needs to be told of, for a while: whose wish, and why.

    rule_id, entity, source: what a signal must have; at least one is set.
    """

    __tablename__ = "silence"

    silence_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    owner: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    starts_us: Mapped[int] = mapped_column(BigInteger)
    ends_us: Mapped[int] = mapped_column(BigInteger)
    rule_id: Mapped[str | None] = mapped_column(Text)
    entity: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str | None] = mapped_column(Text)
    created_us: Mapped[int] = mapped_column(BigInteger)
