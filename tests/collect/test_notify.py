"""What systemd hears."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bigsec.collect.notify import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_each_change(tmp_path: Path, abstract: bool) -> None:
    name = f"bigsec-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + name if abstract else name)
        listening.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": "@" + name if abstract else name})
        notifier.ready("2 sources")
        notifier.reloading()
        notifier.alive()
        notifier.stopping()
        heard = [listening.recv(1000).decode() for _ in range(4)]
    assert heard[0] == "READY=1\nSTATUS=2 sources"
    assert heard[1].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert heard[2:] == ["WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize("address", ["", "/nowhere/socket", "x" * 300])
def test_where_nobody_listens_nothing_fails(address: str) -> None:
    Notifier({"NOTIFY_SOCKET": address}).ready("")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "20000000"}, 10.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid())}, 10.0),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_bites(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert Notifier(environ).watchdog_s == seconds
