"""Holds a daemon's connections and starts it again, where no service manager does.

It speaks the protocol that systemd speaks (sd_notify(3), sd_listen_fds(3)), as far as the daemon
needs it: FDSTORE=1, FDSTOREREMOVE=1, FDNAME and READY=1. What else the daemon says goes to the
service manager outside, if there is one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import select
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from bigsec.collect.inherited import FIRST
from bigsec.collect.notify import tell
from bigsec.collect.own_log import OwnLog

__all__ = ["Supervisor"]

NEEDS_A_PERSON: Final = 78
"""EX_CONFIG: a restart cannot help."""
FAILURES_MAX: Final = 5
"""Starts in a row of which none came so far as to be ready."""
PAUSE_S: Final = 2.0
"""Before a start that follows one that did not become ready."""
MESSAGE_BYTES: Final = 4_096
FORWARDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """Runs `command` until it ends by itself or is told to.

    Sockets that it gives to the store named by NOTIFY_SOCKET outlive it: the next process finds
    them as LISTEN_FDS.
    """

    def __init__(self, command: Sequence[str], log: OwnLog) -> None:
        self._command = list(command)
        self._log = log
        self._held: dict[str, list[int]] = {}
        self._outside = os.environ.get("NOTIFY_SOCKET", "")
        self._child = 0
        self._stopping = False
        self._ready = False

    def run(self) -> int:
        """Gives the exit code of the last process; 128 + N where signal N ended it."""
        _raise_limit()
        with tempfile.TemporaryDirectory(prefix="bigsec-") as folder, _listen(folder) as inbox:
            wakes, woken = socket.socketpair()
            with wakes, woken:
                woken.setblocking(False)
                signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
                signal.signal(signal.SIGCHLD, lambda *_: None)
                for number in FORWARDED:
                    signal.signal(number, self._forward)
                return self._rounds(inbox, wakes)

    def _rounds(self, inbox: socket.socket, wakes: socket.socket) -> int:
        failures = 0
        while True:
            code = self._once(inbox, wakes)
            failures = 0 if self._ready else failures + 1
            if self._stopping or code in (0, NEEDS_A_PERSON) or failures >= FAILURES_MAX:
                return code
            told = f"the daemon ended with {code}; {len(self._held)} connections wait for the next"
            self._log.error("daemon.ended", told, exit=code, held=len(self._held))
            if failures:
                self._pause(wakes)
            if self._stopping:
                return code

    def _pause(self, wakes: socket.socket) -> None:
        """Wait before the next start, or until a stop is wished for."""
        until = time.monotonic() + PAUSE_S
        while not self._stopping and (left := until - time.monotonic()) > 0:
            if select.select([wakes], [], [], left)[0]:
                wakes.recv(MESSAGE_BYTES)

    def _once(self, inbox: socket.socket, wakes: socket.socket) -> int:
        self._ready = False
        self._start(inbox.getsockname())
        while True:
            select.select([inbox, wakes], [], [])
            with contextlib.suppress(BlockingIOError):
                wakes.recv(MESSAGE_BYTES, socket.MSG_DONTWAIT)
            ended, status = os.waitpid(self._child, os.WNOHANG)
            # After the look at the child: what it said before its end is all here.
            while self._listen_once(inbox):
                pass
            if ended:
                self._child = 0
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code

    def _listen_once(self, inbox: socket.socket) -> bool:
        try:
            said, sockets, _, _ = socket.recv_fds(inbox, MESSAGE_BYTES, 8)
        except BlockingIOError:
            return False
        for one in sockets:
            os.set_inheritable(one, False)
        fields = dict(line.split("=", 1) for line in said.decode().splitlines() if "=" in line)
        name = fields.get("FDNAME", "")
        if fields.get("FDSTORE") == "1" and len(sockets) == 1 and name:
            held = self._held.setdefault(name, [])
            if not any(os.path.sameopenfile(sockets[0], one) for one in held):
                held.append(sockets.pop())
        elif fields.get("FDSTOREREMOVE") == "1":
            self._let_go(name)
        else:
            self._ready |= fields.get("READY") == "1"
            tell(self._outside, said)
        for one in sockets:
            os.close(one)
        return True

    def _let_go(self, name: str) -> None:
        for held in self._held.pop(name, []):
            os.close(held)

    def _forward(self, number: int, frame: FrameType | None) -> None:
        self._stopping |= number != signal.SIGHUP
        if self._child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, number)

    def _start(self, address: str) -> None:
        environ = {name: value for name, value in os.environ.items() if name != "WATCHDOG_PID"}
        names = [name for name, held in self._held.items() for _ in held]
        environ |= {"NOTIFY_SOCKET": address, "LISTEN_FDNAMES": ":".join(names)}
        environ["LISTEN_FDS"] = str(len(names))
        child = os.fork()
        if child:
            self._child = child
            if self._stopping:
                # It was told while there was nobody to tell it to.
                os.kill(child, signal.SIGTERM)
            return
        try:
            _pass_on([one for held in self._held.values() for one in held])
            environ["LISTEN_PID"] = str(os.getpid())
            os.execve(self._command[0], self._command, environ)  # noqa: S606 (our own command)
        finally:
            os._exit(127)


def _pass_on(sockets: list[int]) -> None:
    """Makes them the descriptors from FIRST on. All others close by themselves at the exec."""
    behind = FIRST + len(sockets)
    for number, one in enumerate([fcntl.fcntl(s, fcntl.F_DUPFD_CLOEXEC, behind) for s in sockets]):
        os.dup2(one, FIRST + number)


def _listen(folder: str) -> socket.socket:
    inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    inbox.bind(str(Path(folder) / "notify"))
    inbox.setblocking(False)
    return inbox


def _raise_limit() -> None:
    """Each connection is one descriptor here, and two at a start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
