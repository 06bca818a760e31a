"""The table of API tokens."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bigsec.store.model import Base

__all__ = ["ApiTokenRow"]


class ApiTokenRow(Base):
    """A token that programs show to the API. The secret itself is not kept, only its SHA-256.

    A row is never removed: that tokens were once made is why the API asks for one.
    """

    __tablename__ = "api_token"
    __table_args__ = (Index(None, "secret_hash", unique=True),)

    token_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_us: Mapped[int] = mapped_column(BigInteger)
    expires_us: Mapped[int] = mapped_column(BigInteger)
    revoked_us: Mapped[int | None] = mapped_column(BigInteger)
