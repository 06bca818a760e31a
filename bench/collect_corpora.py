"""The lines that a daemon is sent in `collect.py`: real ones, each as its sender would send it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from corpus import SHARED, lines, named, rows


@dataclass(frozen=True)
class Corpus:
    """Lines, the peers' configuration for them, and a field that only parsing gives."""

    kind: str
    field: str
    lines: Callable[[], Iterator[bytes]]


def _headed(program: str, records: Iterator[bytes]) -> Iterator[bytes]:
    head = f"<134>Oct 11 22:14:15 web1 {program}: ".encode()
    return (head + record for record in records)


def apache_lines() -> Iterator[bytes]:
    """Lines of a real access log."""
    path = named(SHARED / "real-logs", "apache_access.jsonl")
    return (row["line"].encode() for row in rows(path))


def sshd_lines() -> Iterator[bytes]:
    """What sshd wrote, by syslog without a priority."""
    return lines(named(SHARED / "loghub-2k/OpenSSH", "OpenSSH_2k.log"))


def _apache() -> Iterator[bytes]:
    return _headed("httpd", apache_lines())


def _sshd() -> Iterator[bytes]:
    return (b"<38>" + line for line in sshd_lines())


def _eve() -> Iterator[bytes]:
    return lines(named(SHARED / "suricata-eve", "eve.ndjson"))


def _sekoia(sniffed: str, holding: str) -> Iterator[bytes]:
    cases = rows(named(SHARED / "sekoia-parse", "cases.jsonl"))
    messages = (row["message"] for row in cases if row["sniffed"] == sniffed)
    fit = (text for text in messages if holding in text and "\n" not in text and text[0] != "<")
    return _headed("fw", (text.encode() for text in fit))


CORPORA = {
    "apache": Corpus("apache", "agent", _apache),
    "sshd": Corpus("syslog", "process", _sshd),
    "eve": Corpus("json", "event_type", _eve),
    "key=value": Corpus("kv", "devname", lambda: _sekoia("kv", " devname=")),
    "cef": Corpus("cef", "DeviceVendor", lambda: _sekoia("cef", "CEF:0|")),
}
