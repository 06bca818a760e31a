"""The tables of sources that the tests configure, on ports and paths of their own."""

from __future__ import annotations

import socket
from pathlib import Path

from .ports import HOST, free_port


class Sources:
    """Collects tables; `text` is what goes into the configuration."""

    def __init__(self) -> None:
        self._tables: list[str] = []
        self.addresses: dict[str, tuple[str, int]] = {}

    @property
    def text(self) -> str:
        """All tables."""
        return "\n".join(self._tables)

    def listen(self, name: str, kind: str, more: str = "") -> tuple[str, int]:
        """A source that listens; gives its address."""
        datagram = kind == "syslog_udp"
        port = free_port(socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM)
        self._tables.append(f'[sources.{name}]\ntype = "{kind}"\nlisten = "{HOST}:{port}"\n{more}')
        self.addresses[name] = (HOST, port)
        return HOST, port

    def file(self, name: str, path: Path, more: str = "") -> Path:
        """A source that follows a file."""
        self._tables.append(f'[sources.{name}]\ntype = "file"\npaths = ["{path}"]\n{more}')
        return path
