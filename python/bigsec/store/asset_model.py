"""The tables of machines: findings of scanners, and importance."""

from __future__ import annotations

from sqlalchemy import BigInteger, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bigsec.store.model import Base

__all__ = ["AssetRow", "FindingCheckRow"]

NAME = String(255)
_NO_ROWID = {"sqlite_with_rowid": False}


class FindingCheckRow(Base):
    """What a tool said of one weakness on one machine at one time; never changed afterwards.

    asset: address or name in small letters. cve, cwe, product: empty where not known. port: 0 where
    it is of no service. state: `present`, `absent` or `patched`.
    """

    __tablename__ = "finding_check"
    __table_args__ = (_NO_ROWID,)

    asset: Mapped[str] = mapped_column(NAME, primary_key=True)
    cve: Mapped[str] = mapped_column(String(32), primary_key=True)
    cwe: Mapped[str] = mapped_column(String(32), primary_key=True)
    port: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product: Mapped[str] = mapped_column(NAME, primary_key=True)
    checked_us: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    tool: Mapped[str] = mapped_column(NAME, primary_key=True)
    version: Mapped[str] = mapped_column(NAME)
    state: Mapped[str] = mapped_column(String(16))


class AssetRow(Base):
    """A machine by an address or name in small letters.

    criticality: 1 (little) to 4 (highest). unit: who is responsible.
    """

    __tablename__ = "asset"
    __table_args__ = (_NO_ROWID,)

    asset: Mapped[str] = mapped_column(NAME, primary_key=True)
    criticality: Mapped[int] = mapped_column(SmallInteger)
    unit: Mapped[str | None] = mapped_column(Text)
    updated_us: Mapped[int] = mapped_column(BigInteger)
