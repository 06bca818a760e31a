"""P7, P9: sinks that are slow, dead, or away while the daemon stops."""

from __future__ import annotations

import socket
import time
from functools import partial
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.evidence import records
from support.numbered import check, number_of, payload, streams
from support.ports import HOST, free_port, wait_until
from support.relp import RelpSender
from support.scale import scale
from support.sink_server import SinkServer
from support.sources import Sources

QUEUED = scale(20_000, 100_000)
DELIVERED_S = float(scale(60, 600))
SLOW_S = scale(5, 300)
GROWTH_BYTES = 128 << 20
# Records a second: what the file sink takes, too, so that it is done soon after; over minutes the
# other work of the machine counts.
DATAGRAMS_A_SECOND = 1_000
RATE = scale(20_000, 5_000)


def _sinks(port: int, path: Path) -> str:
    return (
        f'[sinks.far]\ntype = "http"\nurl = "http://{HOST}:{port}/"\nretry_s_max = 1\n'
        f'[sinks.near]\ntype = "file"\npath = "{path}"\n'
    )


@pytest.mark.timeout(scale(180, 600))
def test_p9_a_stop_with_the_target_away_loses_nothing(tmp_path: Path) -> None:
    """P9: SIGTERM while the HTTP sink is away; after a start with it up, all events arrive."""
    sources = Sources()
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"), window=1_000)
    port, events = free_port(), tmp_path / "events.ndjson"
    daemon = Daemon(tmp_path / "relay", sources.text, more=_sinks(port, events))
    server = None
    try:
        daemon.start()
        while sender.step(QUEUED):
            pass
        sender.close()
        begin = time.monotonic()
        assert daemon.stop(60) == 0, daemon.tail()
        stopped = time.monotonic() - begin
        server = SinkServer(port)
        begin = time.monotonic()
        daemon.start()
        arrived = server.numbers
        wait_until(lambda: len(arrived("relp")) == QUEUED, DELIVERED_S, "all events arrive")
        took = time.monotonic() - begin
        wait_until(lambda: _lines(events) >= QUEUED, DELIVERED_S, "the file has all")
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
        if server is not None:
            server.stop()
    check(streams(records(daemon.evidence)), "relp", range(QUEUED))
    twice = sum(count > 1 for count in server.counts.values())
    print(f"stopped in {stopped:.1f} s, {QUEUED:,} delivered in {took:.1f} s, {twice} twice")


@pytest.mark.timeout(scale(180, 900))
def test_p7_a_slow_sink_holds_up_nobody_else(tmp_path: Path) -> None:
    """P7: with one HTTP sink at a crawl and one dead, intake and the file sink go on and memory
    stays flat; what UDP loses is what the system counts."""
    sources = Sources()
    datagrams = Datagrams(sources.listen("udp", "syslog_udp"))
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"), window=500)
    server = SinkServer(pause_s=1.0)
    events = tmp_path / "events.ndjson"
    more = f'{_sinks(server.port, events)}[sinks.dead]\ntype = "http"\nurl = "{_nowhere()}"\n'
    daemon = Daemon(tmp_path / "relay", sources.text, more=more)
    try:
        daemon.start()
        while sender.step(2_000):
            pass
        own = daemon.rss_bytes()
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < SLOW_S:
            if not sender.step(max(2_000, min(sender.next + 500, int(passed * RATE)))):
                time.sleep(0.005)
            datagrams.send(int(passed * DATAGRAMS_A_SECOND))
        while sender.step(sender.next):
            pass
        rate = len(sender.acked) / (time.monotonic() - begin)
        wait_until(lambda: _lines(events) >= sender.next, DELIVERED_S, "the file has all")
        grown = daemon.rss_bytes() - own
        meters = daemon.status()["sources"]["udp"]["meters"]
        assert meters["records"] + meters["kernel_drops"] == datagrams.sent
        assert len(server.numbers("relp")) < sender.next, "the sink was not slow"
        assert '"sink.failing"' in daemon.output.read_text(), "the dead sink is not told of"
        server.pause_s = 0.0
        arrived = server.numbers
        wait_until(lambda: len(arrived("relp")) == sender.next, DELIVERED_S, "all events arrive")
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
        server.stop()
    print(f"{rate:,.0f} acknowledged records a second beside a slow sink, {grown >> 20} MiB more")
    print(f"{datagrams.sent:,} datagrams, {meters['kernel_drops']} dropped by the system")
    assert sender.reconnects == 0
    assert grown < GROWTH_BYTES


class Datagrams:
    """Sends numbered syslog datagrams."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._to = to
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sent = 0

    def send(self, until: int) -> None:
        """All up to that number, which is not sent."""
        while self.sent < until:
            self._socket.sendto(payload("udp", self.sent), self._to)
            self.sent += 1


def _nowhere() -> str:
    return f"http://{HOST}:{free_port()}/"


def _lines(path: Path) -> int:
    """Numbered events of the relp stream in the sink's files, the rotated ones too."""
    found: set[int] = set()
    for part in path.parent.glob(f"{path.name}*"):
        with part.open("rb") as file:
            numbered = filter(None, map(number_of, file))
            found.update(number for stream, number in numbered if stream == "relp")
    return len(found)
