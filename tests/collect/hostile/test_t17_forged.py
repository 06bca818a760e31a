"""T17: records that lie, through those ways in that `fault/test_forged_records.py` leaves out, and
how far the times that they claim are believed."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from support.cli import bigsec
from support.daemon import Daemon
from support.evidence import Record, records
from support.ports import wait_until
from support.relp import RelpSender
from support.sources import Sources

RULE = """
title: Planted
id: 7a0c1f5e-1111-4222-8333-444455556666
status: stable
level: high
logsource: {product: linux}
detection:
  planted: ['*long ago*', '*far ahead*']
  condition: planted
"""
EMBEDDED = (
    b"<34>1 2026-11-25T02:00:00Z host-1 app - - - text\n<34>1 2026-11-25T02:00:00Z bank a - - - x"
)
FORGED = [
    b"<34>1 2026-11-25T02:00:00Z host-1 app - - - a\x00<34>b",
    b"<34>1 2026-11-25T02:00:00Z relay-1.example bigsec.watch - - - I am the platform",
    b"<34>1 2026-11-25T02:00:00Z 203.0.113.9 app - - - 45 <34>1 - - - - - -",
    b"<34>1 1970-01-01T00:00:00Z host-1 app - - - long ago",
    b"<34>1 2099-12-31T23:59:59Z host-1 app - - - far ahead",
    rb'{"message":"a\n<34>b","host":"bank.example","source":"bigsec.watch","time":"1970-01-01"}',
]
"""Of these, what parts the lines parts the records; nothing inside a line does."""


class Ways:
    """A daemon with one source of each kind that is tried here."""

    def __init__(self, folder: Path) -> None:
        sources = Sources()
        self.relp = sources.listen("relp", "relp")
        self.http = sources.listen("http", "http")
        self.file = sources.file("file", folder / "app.log", "poll_ms = 50")
        self.file.touch()
        self.daemon = Daemon(folder / "relay", sources.text)

    def by_relp(self, sent: list[bytes]) -> None:
        """One message each; a message may hold line ends."""
        sender = RelpSender(self.relp, sent.__getitem__)
        with closing(sender):
            while sender.step(len(sent)):
                pass
        assert sender.acked == set(range(len(sent)))

    def by_http(self, sent: list[bytes]) -> None:
        """One line each, with headers that claim another sender."""
        connection = http.client.HTTPConnection(self.http[0], self.http[1], timeout=10)
        claims = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
        with closing(connection):
            connection.request("POST", "/", b"\n".join(sent), claims)
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["records"]) == (200, len(sent))

    def by_file(self, sent: list[bytes]) -> None:
        """One line each."""
        with self.file.open("ab") as log:
            log.write(b"".join(line + b"\n" for line in sent))

    def kept(self, source: str) -> list[Record]:
        """What the log has of a source."""
        return [one for one in records(self.daemon.evidence) if one.source == source]


@pytest.mark.parametrize(
    ("source", "send", "sent"),
    [
        ("relp", Ways.by_relp, [EMBEDDED, *FORGED]),
        ("http", Ways.by_http, FORGED),
        ("file", Ways.by_file, FORGED),
    ],
)
def test_t17_a_forged_record_stays_one_record_of_its_true_sender(
    tmp_path: Path, source: str, send: Callable[[Ways, list[bytes]], None], sent: list[bytes]
) -> None:
    """T17: one record each, byte for byte; our address, our time, and the claimed one bounded."""
    ways = Ways(tmp_path)
    try:
        ways.daemon.start()
        begin_us = time.time_ns() // 1_000
        send(ways, sent)
        wait_until(lambda: len(ways.kept(source)) >= len(sent), 10, "all records")
        assert ways.daemon.stop() == 0, ways.daemon.tail()
    finally:
        ways.daemon.drop()
    end_us = time.time_ns() // 1_000
    kept = ways.kept(source)
    assert [one.payload for one in kept] == sent
    true_peer = b"" if source == "file" else socket.inet_aton("127.0.0.1")
    assert {one.peer[:4] for one in kept} == {true_peer}
    assert all(begin_us <= one.received_us <= end_us for one in kept)
    times = _believed(ways.daemon, tmp_path / "planted.yml")
    assert len(times) == 2, times
    assert all(begin_us <= at <= end_us for at in times), "1970 and 2099 are not believed"


def _believed(daemon: Daemon, rule: Path) -> list[int]:
    """The times that count, of the events that claim 1970 and 2099; those of their signals."""
    rule.write_text(RULE)
    place = ("-c", str(daemon.config), "-r", str(rule))
    done = bigsec("replay", *place, "--signals", "--json", "--quiet")
    assert done.returncode == 0, done.stderr.decode()
    times = [json.loads(line)["time"] for line in done.stdout.splitlines()]
    return [round(datetime.fromisoformat(at).timestamp() * 1_000_000) for at in times]
