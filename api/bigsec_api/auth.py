"""Who may read.

While no token was ever made, everybody at this machine may: the request must come from a loopback
address, name a loopback host (a page of another site that has its name point here does not), and
have come through no proxy. Since the first token was made, a request needs one that holds, or the
session of a log-in, from wherever it comes. Tokens that expired or were revoked do not open the
door again for those without one.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Final

from fastapi import Request

from bigsec.store import Store, find_token, list_tokens, tokens_exist
from bigsec_api import codes
from bigsec_api.errors import LoginNeeded, Refused, wants_page
from bigsec_api.sessions import Session, Sessions

__all__ = ["COOKIE", "check_access"]

COOKIE: Final = "bigsec_session"
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_MAKE: Final = "Make one with `bigsec token create NAME --store DIR`."


def check_access(request: Request, store: Store) -> None:
    """Return where the request may read the store. Raises Refused, or LoginNeeded for a page."""
    given = request.headers.get("authorization")
    if given is not None:
        scheme, _, secret = given.partition(" ")
        if scheme.lower() == "bearer" and find_token(store, secret.strip()) is not None:
            return
        raise _no_token("The token is not one, or was revoked, or has expired.")
    if _has_session(request, store):
        return
    if tokens_exist(store):
        if wants_page(request.url.path):
            raise LoginNeeded
        raise _no_token("The request carries no token.")
    _check_local(request)


def _has_session(request: Request, store: Store) -> bool:
    sessions: Sessions = request.app.state.sessions
    session = sessions.find(request.cookies.get(COOKIE, ""))
    return session is not None and _still_holds(session, store)


def _still_holds(session: Session, store: Store) -> bool:
    if session.token_id is None:
        return True
    now = datetime.now(UTC)
    return any(one.holds(now) for one in list_tokens(store) if one.token_id == session.token_id)


def _check_local(request: Request) -> None:
    client = request.client
    if client is None or not _is_loopback(client.host):
        raise _no_token("No token was made yet, and without one only this machine may read.")
    if any(name in request.headers for name in _FORWARDED):
        detail = "The request came through a proxy. Without a token only this machine may read."
        raise Refused(421, codes.MISDIRECTED, detail, mend=_MAKE)
    host = request.url.hostname or ""
    if host != "localhost" and not _is_loopback(host):
        detail = "The request names a host that is not this machine's loopback address."
        raise Refused(421, codes.MISDIRECTED, detail, mend="Use http://127.0.0.1 or localhost.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _no_token(detail: str) -> Refused:
    headers = {"WWW-Authenticate": 'Bearer realm="bigsec"'}
    return Refused(401, codes.NO_TOKEN, detail, mend=_MAKE, headers=headers)
