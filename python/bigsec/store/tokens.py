"""API tokens: made, listed, revoked, and recognised.

A secret is 256 random bits, so a fast hash hides it as well as a slow one would: there is nothing
to guess from. It is shown once, when it is made.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, exists, insert, select, update

from bigsec.errors import NotFoundError, Problem
from bigsec.store.beside import written_beside
from bigsec.store.database import Store
from bigsec.store.token_model import ApiTokenRow

__all__ = [
    "NewToken",
    "Token",
    "create_token",
    "find_token",
    "list_tokens",
    "revoke_token",
    "tokens_exist",
]

Clock = Callable[[], datetime]

PREFIX: Final = "bsk_"
"""Lets secret scanners find a token that was left in a repository."""
LIFETIME_MAX: Final = timedelta(days=3660)
NAME_MAX: Final = 100

_SECRET: Final = re.compile(r"bsk_[A-Za-z0-9_-]{43}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; its secret is not. revoked: when, None while it holds."""

    token_id: str
    name: str
    created: datetime
    expires: datetime
    revoked: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it opens the API at a moment."""
        return self.revoked is None and now < self.expires

    def to_dict(self) -> dict[str, str | None]:
        """For programs."""
        return {
            "token_id": self.token_id,
            "name": self.name,
            "created": self.created.isoformat(),
            "expires": self.expires.isoformat(),
            "revoked": None if self.revoked is None else self.revoked.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made, with the secret that nobody can read again."""

    secret: str
    token: Token


def create_token(
    folder: str | os.PathLike[str], name: str, *, lifetime: timedelta, now: Clock = _now
) -> NewToken:
    """Make a token in the store of a folder, which is made where it is missing.

    Raises ValueError for a name or a lifetime out of bounds, StoreLockedError while a scan writes.
    """
    shown = name.strip()
    if not 1 <= len(shown) <= NAME_MAX or not shown.isprintable():
        raise ValueError(f"a token's name has 1 to {NAME_MAX} printable characters")
    if not timedelta(0) < lifetime <= LIFETIME_MAX:
        raise ValueError(f"a token lives for at most {LIFETIME_MAX.days} days")
    secret = PREFIX + secrets.token_urlsafe(32)
    created = now()
    token = Token(secrets.token_hex(4), shown, created, created + lifetime, None)
    with written_beside(folder, create=True) as store, store.write() as connection:
        connection.execute(
            insert(ApiTokenRow).values(
                token_id=token.token_id,
                name=token.name,
                secret_hash=_hash(secret),
                created_us=_to_us(token.created),
                expires_us=_to_us(token.expires),
            )
        )
    return NewToken(secret, token)


def list_tokens(store: Store) -> tuple[Token, ...]:
    """Every token that was made, the latest first."""
    order = (ApiTokenRow.created_us.desc(), ApiTokenRow.token_id)
    with store.read() as connection:
        rows = connection.execute(select(ApiTokenRow.__table__).order_by(*order)).mappings()
        return tuple(_token(row) for row in rows)


def revoke_token(
    folder: str | os.PathLike[str], reference: str, *, now: Clock = _now
) -> tuple[Token, ...]:
    """Revoke the token with an id, or every one with a name; what it opened closes at once.

    Returns the tokens that held until then. Raises NotFoundError where none has that id or name.
    """
    with written_beside(folder, create=False) as store, store.write() as connection:
        found = _named(connection, reference)
        if not found:
            raise _not_found(reference)
        moment = now()
        holding = [token for token in found if token.holds(moment)]
        connection.execute(
            update(ApiTokenRow)
            .where(ApiTokenRow.token_id.in_([token.token_id for token in found]))
            .where(ApiTokenRow.revoked_us.is_(None))
            .values(revoked_us=_to_us(moment))
        )
    return tuple(holding)


def find_token(store: Store, secret: str, *, now: Clock = _now) -> Token | None:
    """The token that a secret belongs to, where it holds."""
    if not _SECRET.fullmatch(secret):
        return None
    query = select(ApiTokenRow.__table__).where(ApiTokenRow.secret_hash == _hash(secret))
    with store.read() as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    token = _token(row)
    return token if token.holds(now()) else None


def tokens_exist(store: Store, *, holding: bool = False, now: Clock = _now) -> bool:
    """Whether a token was ever made; with `holding`, whether one opens the API now."""
    query = select(exists().where(ApiTokenRow.token_id.is_not(None)))
    if holding:
        query = select(
            exists()
            .where(ApiTokenRow.revoked_us.is_(None))
            .where(ApiTokenRow.expires_us > _to_us(now()))
        )
    with store.read() as connection:
        return bool(connection.scalar(query))


def _named(connection: Connection, reference: str) -> list[Token]:
    for column in (ApiTokenRow.token_id, ApiTokenRow.name):
        query = select(ApiTokenRow.__table__).where(column == reference)
        if found := [_token(row) for row in connection.execute(query).mappings()]:
            return found
    return []


def _token(row: Any) -> Token:
    revoked = row["revoked_us"]
    return Token(
        row["token_id"],
        row["name"],
        _from_us(row["created_us"]),
        _from_us(row["expires_us"]),
        None if revoked is None else _from_us(revoked),
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _to_us(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _from_us(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _not_found(reference: str) -> NotFoundError:
    code, name = "BS3106", "store.no_such_thing"
    message = f"no token has the id or name {reference[:80]!r}"
    mend = "`bigsec token list` shows what there is."
    return NotFoundError(code, name, message, (Problem(code, name, message, mend=mend),))
