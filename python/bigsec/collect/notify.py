"""Telling systemd how the service is.

Source: sd_notify(3) — datagrams of `KEY=VALUE` lines to the socket that NOTIFY_SOCKET names, where
a leading `@` stands for the abstract name space.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

__all__ = ["Notifier", "tell"]


class Notifier:
    """Speaks to systemd where it listens, else does nothing. Nothing is raised."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._address = environ.get("NOTIFY_SOCKET", "")
        self.watchdog_s = _watchdog_s(environ)

    def ready(self, status: str) -> None:
        """The service does its work."""
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        """It reads its configuration again."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """It ends."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """It still goes round."""
        self._send("WATCHDOG=1")

    def _send(self, told: str) -> None:
        tell(self._address, told.encode())


def tell(address: str, told: bytes) -> None:
    """Send a message to the socket that NOTIFY_SOCKET names; nothing where it names none."""
    if not address:
        return
    path = "\0" + address[1:] if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        try:
            out.connect(path)
            out.sendall(told)
        except OSError:
            return  # Whoever listened is gone; the work goes on without.


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """How often systemd wants to hear: half of its own limit, as sd_watchdog_enabled(3) advises."""
    limit, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not limit.isdigit() or int(limit) == 0 or (pid.isdigit() and int(pid) != os.getpid()):
        return None
    return int(limit) / 2_000_000
