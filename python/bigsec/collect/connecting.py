"""Trying what a configuration names outside itself: folders, addresses, peers."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bigsec.collect.settings import Settings

__all__ = ["Tried", "try_out"]

TIMEOUT_S: Final = 5.0
_UDP: Final = "syslog_udp"


@dataclass(frozen=True, slots=True)
class Tried:
    """One thing that was tried. subject: the table or key; fault: None where it worked."""

    subject: str
    place: str
    fault: str | None


def try_out(settings: Settings, *, running: bool) -> Iterator[Tried]:
    """Try everything. running: a daemon of ours has the addresses already, so they are left out."""
    yield Tried("data_dir", settings.data_dir, _may_write(settings.data_dir))
    if not running:
        yield Tried("admin", settings.admin.listen, _may_listen(settings.admin.listen))
    for name, source in settings.sources.items():
        listen = getattr(source, "listen", None)
        if listen is not None and not running:
            kind = socket.SOCK_DGRAM if source.type == _UDP else socket.SOCK_STREAM
            yield Tried(f"sources.{name}", listen, _may_listen(listen, kind))
    for name, sink in settings.sinks.items():
        if sink.type == "http":
            yield Tried(f"sinks.{name}", sink.url, _reach(sink.url))
        else:
            folder = os.path.dirname(os.path.abspath(sink.path))
            fault = _may_write(folder) if os.path.isdir(folder) else f"no such folder: {folder}"
            yield Tried(f"sinks.{name}", sink.path, fault)
    keeper = settings.log.keeper
    if keeper is not None:
        web = keeper.startswith(("https://", "http://"))
        yield Tried("log.keeper", keeper, _reach(keeper) if web else _may_write(keeper))


def _may_write(folder: str) -> str | None:
    """A folder that does not exist yet is made at the first start, where its parent allows it."""
    here = Path(os.path.abspath(folder))
    while not here.exists() and here != here.parent:
        here = here.parent
    if not here.is_dir():
        return f"{here} is no folder"
    return None if os.access(here, os.W_OK | os.X_OK) else f"no right to write to {here}"


def _may_listen(address: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> str | None:
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=kind, flags=socket.AI_PASSIVE)
        family, _, _, _, place = found[0]
        with socket.socket(family, kind) as tried:
            if kind is socket.SOCK_STREAM:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _reach(url: str) -> str | None:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=TIMEOUT_S).close()
    except OSError as error:
        return error.strerror or str(error)
    return None
