"""Pushes numbered records as NDJSON over HTTP, one batch at a time on one connection."""

from __future__ import annotations

import http.client
from collections.abc import Callable


class HttpSender:
    """A batch that was not answered with 2xx is sent again as it was."""

    def __init__(
        self,
        address: tuple[str, int],
        make: Callable[[int], bytes],
        *,
        path: str = "/",
        batch: int = 100,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.address = address
        self.make = make
        self.path = path
        self.batch = batch
        self.headers = {"Content-Type": "application/x-ndjson", **(headers or {})}
        self.next = 0
        self.acked: set[int] = set()
        self.statuses: dict[int, int] = {}
        self.reconnects = 0
        self.deaf = False
        """Answers are not heard: the line is dead, and what was sent is sent again."""
        self._connection: http.client.HTTPConnection | None = None

    def step(self, until: int, timeout_s: float = 2.0) -> bool:
        """Send one batch and wait for its answer; False when nothing is left below `until`."""
        numbers = range(self.next, min(until, self.next + self.batch))
        if not numbers:
            return False
        body = b"".join(self.make(number) + b"\n" for number in numbers)
        try:
            status = self._post(body, timeout_s)
            if self.deaf:
                raise ConnectionError("deaf")
        except (OSError, http.client.HTTPException):
            self.close()
            self.reconnects += 1
            return True
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if 200 <= status < 300:
            self.acked.update(numbers)
            self.next = numbers.stop
        return self.next < until

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _post(self, body: bytes, timeout_s: float) -> int:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(*self.address, timeout=timeout_s)
        self._connection.request("POST", self.path, body, self.headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.will_close:
            self.close()
        return answer.status


def json_payload(line: bytes) -> bytes:
    """A text line as the one field of a JSON object."""
    return b'{"message":"' + line + b'"}'
