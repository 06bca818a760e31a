"""A supervised daemon: what is held for it, what it finds again, and when it is given up."""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cli import verify
from support.daemon import Daemon
from support.evidence import records
from support.ports import wait_until
from support.sources import Sources

from bigsec.collect.inherited import descriptor_store, taken_bytes
from bigsec.collect.own_log import OwnLog
from bigsec.collect.supervising import FAILURES_MAX, NEEDS_A_PERSON, Supervisor


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sender = socket.create_connection(listening.getsockname())
        receiver, _ = listening.accept()
    with sender, receiver:
        yield sender, receiver


@pytest.mark.parametrize("end", ["open", "closed", "closed and seen", "reset"])
def test_what_was_taken_out_of_a_connection_is_known_exactly(
    pair: tuple[socket.socket, socket.socket], end: str
) -> None:
    sender, receiver = pair
    sender.sendall(b"x" * 1000)
    assert taken_bytes(receiver) == 0
    receiver.recv(300, socket.MSG_WAITALL)
    receiver.recv(700, socket.MSG_PEEK)
    assert taken_bytes(receiver) == 300
    if end.startswith("closed"):
        sender.shutdown(socket.SHUT_WR)
    elif end == "reset":
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sender.close()
    time.sleep(0.05)
    assert taken_bytes(receiver) == 300
    receiver.recv(700, socket.MSG_WAITALL)
    if end == "closed and seen":
        assert receiver.recv(1) == b""
    assert taken_bytes(receiver) == 1000


def test_without_a_service_manager_nothing_is_held(tmp_path: Path) -> None:
    assert descriptor_store({}) is None
    assert descriptor_store({"NOTIFY_SOCKET": str(tmp_path / "nobody")}) is None
    strange = {"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x"}
    assert descriptor_store(strange) is None
    assert not strange, "a program that we start must not believe that they are for it"


def test_p1_a_sender_over_plain_tcp_does_not_notice_that_the_daemon_died(tmp_path: Path) -> None:
    sources = Sources()
    address = sources.listen("in", "syslog_tcp")
    daemon = Daemon(tmp_path, sources.text, supervised=True)
    daemon.start()
    try:
        sent: list[bytes] = []
        with socket.create_connection(address, timeout=30) as sender:

            def send(count: int) -> None:
                lines = [
                    b"<13>number=%d" % number for number in range(len(sent), len(sent) + count)
                ]
                sent.extend(lines)
                sender.sendall(b"\n".join(lines) + b"\n")

            for _ in range(3):
                send(2_000)
                daemon.kill_and_wait()
                send(500)
            with socket.create_connection(address, timeout=30) as other:
                other.sendall(b"<13>another\n")
            wait_until(lambda: _count(daemon) == len(sent) + 1, 30, "all records in the evidence")
            begun = daemon.pid()
            assert daemon.stop() == 0, daemon.tail()
            assert begun != os.getpid()
        verify(daemon.evidence)
        kept = [one.payload for one in records(daemon.evidence) if b"number=" in one.payload]
        assert kept == sent
        assert "connections wait for the next" in daemon.tail(100_000)
    finally:
        daemon.drop()


def _count(daemon: Daemon) -> int:
    return sum(one.source == "in" for one in records(daemon.evidence))


CHILD = """
import os, socket, sys
log = open({log!r}, "a")
print(os.environ["LISTEN_FDS"], os.environ["LISTEN_FDNAMES"],
      os.environ["LISTEN_PID"] == str(os.getpid()), file=log, flush=True)
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
out.connect(os.environ["NOTIFY_SOCKET"])
{body}
"""
HOLD = """
one, two = socket.socketpair()
socket.send_fds(out, [b"FDSTORE=1\\nFDNAME=aa\\nFDPOLL=0"], [one.fileno()])
socket.send_fds(out, [b"FDSTORE=1\\nFDNAME=bb\\nFDPOLL=0"], [two.fileno()])
socket.send_fds(out, [b"FDSTORE=1\\nFDNAME=bb\\nFDPOLL=0"], [two.fileno()])
if len(open({log!r}).readlines()) == 2:
    out.send(b"FDSTOREREMOVE=1\\nFDNAME=aa")
if len(open({log!r}).readlines()) == 3:
    sys.exit(0)
out.send(b"READY=1")
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize(
    ("body", "code", "starts"),
    [
        (HOLD, 0, ["0  True", "2 aa:bb True", "2 bb:bb True"]),
        (f"sys.exit({NEEDS_A_PERSON})", NEEDS_A_PERSON, ["0  True"]),
        ("sys.exit(1)", 1, ["0  True"] * FAILURES_MAX),
        ("os.kill(os.getpid(), 9)", 137, ["0  True"] * FAILURES_MAX),
    ],
    ids=["killed", "configuration", "failing", "dying"],
)
def test_a_process_is_started_again_with_what_was_held_until_it_cannot_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, code: int, starts: list[str]
) -> None:
    monkeypatch.setattr("bigsec.collect.supervising.PAUSE_S", 0.01)
    log = tmp_path / "starts"
    program = CHILD.format(log=str(log), body=body.replace("{log!r}", repr(str(log))))
    supervisor = Supervisor([sys.executable, "-c", program], OwnLog(io.StringIO()))
    assert _in_a_process(supervisor) == code
    assert log.read_text().splitlines() == starts


def test_a_stop_between_two_starts_is_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bigsec.collect.supervising.PAUSE_S", 60.0)
    log = tmp_path / "starts"
    program = CHILD.format(log=str(log), body="sys.exit(1)")
    child = _fork(Supervisor([sys.executable, "-c", program], OwnLog(io.StringIO())))
    wait_until(lambda: log.exists() and log.read_text() != "", 30, "a start")
    time.sleep(0.5)
    os.kill(child, signal.SIGTERM)
    wait_until(lambda: os.waitpid(child, os.WNOHANG)[0] == child, 10, "the end")
    assert len(log.read_text().splitlines()) == 1


def _in_a_process(supervisor: Supervisor) -> int:
    """Its handlers of signals are the process's own."""
    return os.waitstatus_to_exitcode(os.waitpid(_fork(supervisor), 0)[1])


def _fork(supervisor: Supervisor) -> int:
    child = os.fork()
    if child == 0:
        code = 255
        try:
            code = supervisor.run()
        finally:
            os._exit(code)
    return child
