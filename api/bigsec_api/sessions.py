"""Sessions of people at the console, kept in this process, and the links that begin them."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Session", "Sessions"]

SESSION_SECONDS: Final = 12 * 3600
"""A duty shift."""
LINK_SECONDS: Final = 600
SESSIONS_MAX: Final = 1_000
LINKS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Session:
    """token_id: the token that began it and whose end is its end; None after a log-in link."""

    ends: float
    token_id: str | None


def _key(secret: str) -> str:
    # Only hashes are kept, so that a dump of the process's memory opens no session.
    return hashlib.sha256(secret.encode()).hexdigest()


class Sessions:
    """Who is logged in. Threads may share it; the oldest gives way when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._links: OrderedDict[str, float] = OrderedDict()

    def new_link(self) -> str:
        """The code of a link that logs in once, for ten minutes."""
        code = secrets.token_urlsafe(32)
        with self._lock:
            self._links[_key(code)] = self._clock() + LINK_SECONDS
            _keep(self._links, LINKS_MAX)
        return code

    def redeem(self, code: str) -> str | None:
        """Begin a session with a link's code, which is spent then; None where it does not hold."""
        with self._lock:
            ends = self._links.pop(_key(code), None)
            if ends is None or ends < self._clock():
                return None
        return self.begin(None)

    def begin(self, token_id: str | None) -> str:
        """Begin a session; returns what its cookie holds."""
        secret = secrets.token_urlsafe(32)
        session = Session(self._clock() + SESSION_SECONDS, token_id)
        with self._lock:
            self._sessions[_key(secret)] = session
            _keep(self._sessions, SESSIONS_MAX)
        return secret

    def find(self, secret: str) -> Session | None:
        """The session of a cookie, where it has not ended."""
        with self._lock:
            session = self._sessions.get(_key(secret))
        return session if session is not None and session.ends > self._clock() else None

    def end(self, secret: str) -> None:
        """End a session, if there is one."""
        with self._lock:
            self._sessions.pop(_key(secret), None)


def _keep(table: OrderedDict[str, Any], most: int) -> None:
    while len(table) > most:
        table.popitem(last=False)
