"""Rule 4.5 at the running daemon: what a limit of the table bounds is taken at the limit, and one
more is not, or goes on in another record."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.evidence import CONTINUED, Record, records
from support.ports import wait_until
from support.relp import RelpSender
from support.sources import Sources

RECORD, BODY, CONNECTIONS, OF_ADDRESS = 1_024, 4_096, 3, 2
KINDS = ("syslog_udp", "syslog_tcp", "relp", "http")
LIMITS = f"""[limits]
record_bytes_max = {RECORD}
body_bytes_max = {BODY}
connections_max = {CONNECTIONS}
connections_per_address_max = {OF_ADDRESS}
"""


class Limited:
    """A daemon under small limits, with a source of each kind that it bounds."""

    def __init__(self, folder: Path) -> None:
        sources = Sources()
        self.at = {kind: sources.listen(kind, kind) for kind in KINDS}
        self.file = sources.file("file", folder / "app.log", "poll_ms = 50")
        self.file.touch()
        self.daemon = Daemon(folder / "relay", sources.text, more=LIMITS)
        self.daemon.start()

    def kept(self, source: str) -> list[Record]:
        """What the log has of a source."""
        return [one for one in records(self.daemon.evidence) if one.source == source]

    def post(self, body: bytes) -> int:
        """The status of the answer."""
        address, port = self.at["http"]
        with closing(http.client.HTTPConnection(address, port, timeout=10)) as connection:
            connection.request("POST", "/", body)
            return connection.getresponse().status

    def stream(self, address: str) -> socket.socket:
        """A connection to the syslog source from one of our own addresses."""
        return socket.create_connection(
            self.at["syslog_tcp"], timeout=5, source_address=(address, 0)
        )


def _by_udp(to: Limited, line: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(line, to.at["syslog_udp"])


def _by_tcp(to: Limited, line: bytes) -> None:
    with to.stream("127.0.0.1") as connection:
        connection.sendall(line + b"\n")


def _by_counted_tcp(to: Limited, line: bytes) -> None:
    with to.stream("127.0.0.1") as connection:
        connection.sendall(b"%d %s" % (len(line), line))


def _by_relp(to: Limited, line: bytes) -> None:
    with closing(RelpSender(to.at["relp"], lambda _: line)) as sender:
        while sender.step(1):
            pass


def _by_http(to: Limited, line: bytes) -> None:
    assert to.post(line) == 200


def _by_file(to: Limited, line: bytes) -> None:
    with to.file.open("ab") as log:
        log.write(line + b"\n")


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    """One daemon for all: the limits are those of its start."""
    made = Limited(tmp_path_factory.mktemp("limits"))
    try:
        yield made
    finally:
        made.daemon.drop()


@pytest.mark.parametrize(
    ("source", "send"),
    [
        ("syslog_udp", _by_udp),
        ("syslog_tcp", _by_tcp),
        ("syslog_tcp", _by_counted_tcp),
        ("relp", _by_relp),
        ("http", _by_http),
        ("file", _by_file),
    ],
)
def test_4_5_record_bytes_max(
    limited: Limited, source: str, send: Callable[[Limited, bytes], None]
) -> None:
    """A record at the limit is one; one more byte goes on in a second record, and none is lost."""
    before = len(limited.kept(source))
    exact = b"<34>" + b"e" * (RECORD - 4)
    send(limited, exact)
    wait_until(lambda: len(limited.kept(source)) >= before + 1, 10, "the first record")
    send(limited, exact + b"!")
    wait_until(lambda: len(limited.kept(source)) >= before + 3, 10, "the second in two pieces")
    kept = limited.kept(source)[before:]
    assert [one.payload for one in kept] == [exact, exact, b"!"]
    assert [bool(one.flags & CONTINUED) for one in kept] == [False, False, True]


def test_4_5_body_bytes_max(limited: Limited) -> None:
    """A body at the limit is taken; one of one byte more is refused."""
    assert limited.post(b"x" * (RECORD - 1) + b"\n" + b"y" * (BODY - RECORD)) == 200
    assert limited.post(b"x" * (RECORD - 1) + b"\n" + b"y" * (BODY - RECORD + 1)) == 413


def test_4_5_connections(limited: Limited) -> None:
    """As many connections as the limits say, of an address and in all; the next is turned away."""
    wait_until(lambda: _meters(limited)["connections"] == 0, 10, "nobody is connected")
    with ExitStack() as held:

        def connect(address: str) -> None:
            count = len(limited.kept("syslog_tcp"))
            stream = held.enter_context(limited.stream(address))
            stream.sendall(b"<34>here\n")
            wait_until(lambda: len(limited.kept("syslog_tcp")) > count, 5, "it is served")

        def turned_away(address: str) -> bool:
            with limited.stream(address) as stream:
                try:
                    return stream.recv(1) == b""
                except ConnectionResetError:
                    return True

        for _ in range(OF_ADDRESS):
            connect("127.0.0.2")
        assert turned_away("127.0.0.2")
        for _ in range(CONNECTIONS - OF_ADDRESS):
            connect("127.0.0.3")
        assert turned_away("127.0.0.3")
        meters = _meters(limited)
        assert meters["connections"] == CONNECTIONS


def _meters(limited: Limited) -> dict[str, int]:
    meters: dict[str, int] = limited.daemon.status()["sources"]["syslog_tcp"]["meters"]
    return meters
