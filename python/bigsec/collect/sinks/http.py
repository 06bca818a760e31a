"""A sink that posts events as NDJSON. Only a 2xx is success; a redirect is a refusal.

Each request carries an `Idempotency-Key` of log and range, so that a receiver can tell a repeated
request; event ids tell repeated events.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from bigsec.collect.settings import HttpSink
from bigsec.collect.sinks.position import Position

__all__ = ["HttpPoster", "RefusedError", "parts_of"]

ANSWER_BYTES_MAX: Final = 64 * 1024


class RefusedError(Exception):
    """The other side answered, but not with a 2xx."""


class HttpPoster:
    """Posts lines."""

    def __init__(self, settings: HttpSink, log: str) -> None:
        self._settings = settings
        self._log = log
        self._parts = urlsplit(settings.url)
        self._tls: ssl.SSLContext | None = None
        if self._parts.scheme == "https":
            self._tls = ssl.create_default_context(cafile=settings.ca_file)

    def deliver(self, events: Any, first: int, after: int) -> None:
        """Post a line an event, about `batch_bytes` a request. Raises OSError and RefusedError."""
        if events is None:
            return
        lines: bytes = events.to_ndjson()
        for number, part in enumerate(parts_of(lines, self._settings.batch_bytes)):
            self._post(part, f"{self._log}:{first}-{after}:{number}")

    def begin(self, known: Position | None) -> Position | None:
        """Where it was."""
        return known

    def is_due(self) -> bool:
        """Nothing is gathered."""
        return False

    def mark(self, position: Position) -> Position:
        """Nothing more than the position is known here."""
        return position

    def close(self) -> None:
        """Nothing is kept open."""

    def _post(self, body: bytes, key: str) -> None:
        link = self._connection()
        # A socket's own limit counts from byte to byte: one byte a second would never end.
        limit = threading.Timer(self._settings.timeout_s, _cut, (link,))
        limit.daemon = True
        limit.start()
        try:
            path = self._parts.path or "/"
            target = f"{path}?{self._parts.query}" if self._parts.query else path
            link.request("POST", target, body, self._headers(key))
            answer = link.getresponse()
            answer.read(ANSWER_BYTES_MAX)
            if not 200 <= answer.status < 300:
                raise RefusedError(f"{self._settings.url} answers {answer.status}")
        except http.client.HTTPException as error:
            raise OSError(f"{self._settings.url}: {type(error).__name__}") from error
        finally:
            limit.cancel()
            link.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        timeout = float(self._settings.timeout_s)
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=timeout)
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=self._tls)

    def _headers(self, key: str) -> dict[str, str]:
        headers = {
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": key,
            "User-Agent": "bigsec",
            "Connection": "close",
        }
        if self._settings.token_file is not None:
            # Read each time: a token is replaced while the daemon runs.
            token = Path(self._settings.token_file).read_text(encoding="ascii").strip()
            headers["Authorization"] = f"Bearer {token}"
        return headers


def parts_of(lines: bytes, size: int) -> Iterator[bytes]:
    """The lines in parts of at most `size` bytes, or one line where it is longer."""
    start = 0
    while start < len(lines):
        end = len(lines)
        if end - start > size:
            end = lines.rfind(b"\n", start, start + size) + 1
            if end <= start:
                end = lines.find(b"\n", start) + 1 or len(lines)
        yield lines[start:end]
        start = end


def _cut(link: http.client.HTTPConnection) -> None:
    if link.sock is not None:
        with contextlib.suppress(OSError):
            link.sock.shutdown(socket.SHUT_RDWR)
