"""P12: connections that break, stall, come in crumbs, or fail in their TLS handshake."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from support.certificates import Authority
from support.cli import verify
from support.daemon import Daemon
from support.evidence import records
from support.numbered import check, number_of, payload, streams
from support.ports import wait_until
from support.relp import RelpSender
from support.scale import dice, scale
from support.sources import Sources

RECORDS = scale(3_000, 60_000)
WATCHED_S = 3.0
IDLE_CPU_MAX = 0.05
_RESET = struct.pack("ii", 1, 0)


class BrokenSender(RelpSender):
    """Resets three connections of ten, in the middle of a record."""

    def __init__(self, address: tuple[str, int], name: str, dice: random.Random) -> None:
        super().__init__(address, partial(payload, name), window=50)
        self.dice = dice
        self.resets = 0

    def step(self, until: int, timeout_s: float = 0.5) -> bool:
        """As it is, but for the resets."""
        if self._socket is not None and self.dice.random() < 0.3:
            try:
                line = self.make(self.next)
                self._socket.sendall(b"9999 syslog %d %s" % (len(line), line[: len(line) // 2]))
            except OSError:
                pass
            reset(self._socket)
            self._socket = None
            self.resets += 1
        return super().step(until, timeout_s)


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Daemon, Authority, tuple[str, int]]]:
    """A daemon whose RELP source asks for client certificates."""
    authority = Authority(tmp_path / "keys")
    own = authority.sign("relay")
    sources = Sources()
    address = sources.listen(
        "relp",
        "relp",
        f'[sources.relp.tls]\ncertificate_file = "{own.certificate}"\nkey_file = "{own.key}"\n'
        f'client_ca_file = "{authority.certificate}"\n',
    )
    daemon = Daemon(tmp_path / "relay", sources.text)
    daemon.start()
    yield daemon, authority, address
    daemon.drop()


def test_p12_resets_in_the_middle_of_records_lose_nothing(tmp_path: Path) -> None:
    """P12: 30 % resets in mid-record: resent until acknowledged, the order kept, no half records
    that pass for whole ones, and nothing of one connection in another's records."""
    rolls = dice()
    sources = Sources()
    address = sources.listen("relp", "relp")
    names = ["relp-a", "relp-b"]
    senders = [BrokenSender(address, name, rolls) for name in names]
    daemon = Daemon(tmp_path / "relay", sources.text)
    try:
        daemon.start()
        while any(one.step(RECORDS) for one in senders):
            pass
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
    verify(daemon.evidence)
    lost_marks = 0
    found = list(records(daemon.evidence))
    for record in found:
        numbered = number_of(record.payload)
        if record.source == "relp" and numbered is not None:
            whole = record.payload == payload(*numbered)
            lost_marks += not whole and not record.flags & 2
    assert lost_marks == 0, "a record was torn, or mixed with another, without a mark"
    per_sender = streams(one for one in found if number_of(one.payload) and not one.flags & 2)
    for name in names:
        # Two senders behind one address: repeats of one do not show in the other.
        held = per_sender[name]
        assert held.seen >= set(range(RECORDS))
        assert not held.reordered
    resets = sum(one.resets for one in senders)
    print(f"{resets} resets; doubles: {sum(one.records for one in per_sender.values())}")
    assert resets > 10


def test_p12_records_that_come_byte_by_byte_are_whole(tmp_path: Path) -> None:
    """P12: one byte a segment, in both framings and RELP."""
    sources = Sources()
    relp, tcp = sources.listen("relp", "relp"), sources.listen("tcp", "syslog_tcp")
    line = payload("s", 0)
    counted = b"%d %s" % (len(line), line)
    daemon = Daemon(tmp_path / "relay", sources.text)
    try:
        daemon.start()
        offer = b"relp_version=0\ncommands=syslog"
        frames = b"1 open %d %s\n2 syslog %d %s\n" % (len(offer), offer, len(line), line)
        for address, sent in ((relp, frames), (tcp, counted), (tcp, line + b"\n")):
            with socket.create_connection(address) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for at in range(len(sent)):
                    connection.sendall(sent[at : at + 1])
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(5)
                while connection.recv(4096):
                    pass
        wait_until(lambda: _count(daemon) >= 3, 10, "three records")
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
    held = [one.payload for one in records(daemon.evidence) if number_of(one.payload)]
    assert held == [line] * 3


def _count(daemon: Daemon) -> int:
    return sum(number_of(one.payload) is not None for one in records(daemon.evidence))


def test_p12_peers_that_vanish_or_stall_cost_no_time(tmp_path: Path) -> None:
    """P12: half-open and silent peers, some in the middle of a frame: below 5 % of a CPU, and an
    honest sender is served."""
    sources = Sources()
    relp, tcp = sources.listen("relp", "relp"), sources.listen("tcp", "syslog_tcp")
    http = sources.listen("http", "http")
    daemon = Daemon(tmp_path / "relay", sources.text)
    openings = {
        relp: [b"", b"1 op", b"1 open 5 abc", b"1 open 0\n2 syslog 99999 x"],
        tcp: [b"", b"99", b"999 <34>1 abc", b"<34>Oct 11 22:14:15 host a"],
        http: [b"", b"POST / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nabc"],
    }
    held: list[socket.socket] = []
    try:
        daemon.start()
        for address, beginnings in openings.items():
            for beginning in beginnings:
                for _ in range(5):
                    connection = socket.create_connection(address)
                    connection.sendall(beginning)
                    held.append(connection)
        time.sleep(0.5)
        begin = daemon.cpu_s()
        time.sleep(WATCHED_S)
        used = (daemon.cpu_s() - begin) / WATCHED_S
        honest = RelpSender(relp, partial(payload, "relp"))
        while honest.step(1_000):
            pass
        assert daemon.stop() == 0, daemon.tail()
    finally:
        for connection in held:
            connection.close()
        daemon.drop()
    print(f"{len(held)} stalled peers: {used:.1%} of a CPU")
    check(streams(records(daemon.evidence)), "relp", range(1_000))
    assert used < IDLE_CPU_MAX


def test_p12_a_handshake_may_break_off_at_any_step(
    tls: tuple[Daemon, Authority, tuple[str, int]],
) -> None:
    """P12: broken off after each flight and at many bytes of it, with FIN and RST, and
    `close_notify` right after ClientHello; no spin, and the next client is served."""
    daemon, authority, address = tls
    context = authority.client(authority.sign("sender"))
    flights = _flights(context, address)
    cuts = [(flight, at) for flight, size in enumerate(flights) for at in _cuts(size)]
    for number, (flight, at) in enumerate(cuts):
        _break_off(context, address, flight, at, hard=number % 2 == 0)
    _close_notify_after_hello(context, address)
    begin = daemon.cpu_s()
    time.sleep(WATCHED_S)
    used = (daemon.cpu_s() - begin) / WATCHED_S
    sender = RelpSender(address, partial(payload, "relp"), tls=context)
    while sender.step(500):
        pass
    sender.close()
    assert daemon.stop() == 0, daemon.tail()
    print(f"{len(cuts)} handshakes broken off: {used:.1%} of a CPU afterwards")
    check(streams(records(daemon.evidence)), "relp", range(500))
    assert used < IDLE_CPU_MAX


@pytest.mark.parametrize("kind", ["absent", "foreign", "expired"])
def test_p12_a_wrong_client_certificate_is_refused(
    tls: tuple[Daemon, Authority, tuple[str, int]], tmp_path: Path, kind: str
) -> None:
    """P12: nothing of such a client reaches the log; the refusal is counted."""
    daemon, authority, address = tls
    shown = None
    if kind == "foreign":
        shown = Authority(tmp_path / "foreign", "other").sign("sender")
    elif kind == "expired":
        shown = authority.sign("late", expired=True)
    sender = RelpSender(address, partial(payload, "relp"), tls=authority.client(shown))
    for _ in range(3):
        sender.step(10)
    assert not sender.acked
    assert sender.reconnects == 3
    assert daemon.status()["sources"]["relp"]["meters"]["refused_handshake"] >= 3
    assert daemon.stop() == 0, daemon.tail()
    assert not [one for one in records(daemon.evidence) if one.source == "relp"]


def _flights(context: ssl.SSLContext, address: tuple[str, int]) -> list[int]:
    """Sizes of what a client sends in each step of a handshake that succeeds."""
    return [len(one) for one in _handshake(context, address, flights=9)]


def _handshake(context: ssl.SSLContext, address: tuple[str, int], flights: int) -> Iterator[bytes]:
    """Drive a handshake through memory; yields each flight before it is sent."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(received, sent, server_hostname=address[0])
    with socket.create_connection(address, timeout=5) as connection:
        for _ in range(flights):
            try:
                session.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            if flight := sent.read():
                yield flight
                connection.sendall(flight)
            if done:
                return
            received.write(connection.recv(65536))


def _cuts(size: int) -> list[int]:
    return sorted({0, 1, 4, 5, 6, size // 2, size - 1, size})


def _break_off(
    context: ssl.SSLContext, address: tuple[str, int], flight: int, at: int, *, hard: bool
) -> None:
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(received, sent, server_hostname=address[0])
    connection = socket.create_connection(address, timeout=5)
    for number in range(flight + 1):
        with contextlib.suppress(ssl.SSLWantReadError):
            session.do_handshake()
        piece = sent.read()
        connection.sendall(piece[:at] if number == flight else piece)
        if number < flight:
            received.write(connection.recv(65536))
    if hard:
        reset(connection)
    else:
        connection.close()


def _close_notify_after_hello(context: ssl.SSLContext, address: tuple[str, int]) -> None:
    alert = bytes([21, 3, 3, 0, 2, 1, 0])
    with socket.create_connection(address, timeout=5) as connection:
        hello = next(_handshake(context, address, flights=1))
        connection.sendall(hello + alert)
        try:
            while connection.recv(65536):
                pass
        except OSError:
            pass
