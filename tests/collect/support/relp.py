"""A RELP sender with a window, which knows what was acknowledged and sends the rest again."""

from __future__ import annotations

import re
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence

_ANSWER = re.compile(rb"(?P<transaction>[0-9]{1,9}) (?P<command>[a-z]+) (?P<length>[0-9]+)")
_OFFER = b"relp_version=0\nrelp_software=tests,1,example\ncommands=syslog"


class RelpSender:
    """Sends numbered records; `unacked` are resent in order after a break."""

    def __init__(
        self,
        address: tuple[str, int],
        make: Callable[[int], bytes],
        *,
        window: int = 128,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address = address
        self.make = make
        self.window = window
        self.tls = tls
        self.next = 0
        self.acked: set[int] = set()
        self.unacked: deque[int] = deque()
        self.refused: list[tuple[int, bytes]] = []
        self.reconnects = 0
        self.deaf = False
        """Answers are not heard: the line is dead, and what was sent is sent again."""
        self._socket: socket.socket | None = None
        self._waiting: dict[int, int] = {}
        self._transaction = 0
        self._buffer = b""

    def step(self, until: int, timeout_s: float = 0.5) -> bool:
        """Fill the window, take answers once; False when nothing is left below `until`."""
        try:
            if self._socket is None:
                self._connect(timeout_s)
            self._fill(until)
            if self._waiting:
                self._take_answers()
        except TimeoutError:
            pass
        except OSError:
            self._break()
            self.reconnects += 1
        return bool(self.unacked) or self.next < until

    def close(self) -> None:
        """Say good-bye where the other side still listens."""
        if self._socket is not None:
            try:
                self._send(b"close", b"")
                self._socket.recv(65536)
            except OSError:
                pass
            self._break()

    def _connect(self, timeout_s: float) -> None:
        plain = socket.create_connection(self.address, timeout=timeout_s)
        host = self.address[0]
        self._socket = self.tls.wrap_socket(plain, server_hostname=host) if self.tls else plain
        self._socket.settimeout(timeout_s)
        self._transaction, self._buffer, self._waiting = 0, b"", {}
        self._send(b"open", _OFFER)
        while (answer := self._next_answer()) is None:
            self._receive()
        if answer[1] != b"rsp" or not answer[2].startswith(b"200"):
            raise ConnectionError(f"no RELP: {answer}")
        self._submit(list(self.unacked))

    def _fill(self, until: int) -> None:
        upto = min(until, self.next + self.window - len(self.unacked))
        fresh = range(self.next, max(self.next, upto))
        self.unacked.extend(fresh)
        self.next = fresh.stop
        self._submit(fresh)

    def _submit(self, numbers: Sequence[int]) -> None:
        burst = []
        for number in numbers:
            self._transaction = self._transaction % 999_999_999 + 1
            self._waiting[self._transaction] = number
            burst.append(_frame(self._transaction, b"syslog", self.make(number)))
        if burst:
            self._connected().sendall(b"".join(burst))

    def _take_answers(self) -> None:
        self._receive()
        if self.deaf:
            raise ConnectionError("deaf")
        while (answer := self._next_answer()) is not None:
            transaction, command, text = answer
            if command == b"serverclose":
                raise ConnectionError("the server closes")
            number = self._waiting.pop(transaction, None)
            if number is None:
                continue
            self.unacked.remove(number)
            if text.startswith(b"200"):
                self.acked.add(number)
            else:
                self.refused.append((number, text))

    def _receive(self) -> None:
        piece = self._connected().recv(1 << 16)
        if not piece:
            raise ConnectionError("closed")
        self._buffer += piece

    def _next_answer(self) -> tuple[int, bytes, bytes] | None:
        found = _ANSWER.match(self._buffer)
        if found is None or found.end() == len(self._buffer):
            return None
        length = int(found["length"])
        begin = found.end() + (1 if length else 0)
        if len(self._buffer) < begin + length + 1:
            return None
        text = self._buffer[begin : begin + length]
        self._buffer = self._buffer[begin + length + 1 :]
        return int(found["transaction"]), found["command"], text

    def _send(self, command: bytes, data: bytes) -> int:
        self._transaction = self._transaction % 999_999_999 + 1
        self._connected().sendall(_frame(self._transaction, command, data))
        return self._transaction

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("not connected")
        return self._socket

    def _break(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def _frame(transaction: int, command: bytes, data: bytes) -> bytes:
    if not data:
        return b"%d %s 0\n" % (transaction, command)
    return b"%d %s %d %s\n" % (transaction, command, len(data), data)
