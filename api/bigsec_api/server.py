"""Serving the application: the socket, who may be answered, and the address to tell people."""

from __future__ import annotations

import errno
import ipaddress
import socket
from pathlib import Path
from typing import Final

import uvicorn

from bigsec.errors import BigsecError, Problem
from bigsec.store import open_store, tokens_exist
from bigsec_api.app import create_app
from bigsec_api.codes import NO_TOKEN, PORT, Code
from bigsec_api.settings import Settings

__all__ = ["Server"]

_HEADER_BYTES_MAX: Final = 32_768
_CONNECTIONS_MAX: Final = 512
_KEEP_ALIVE_SECONDS: Final = 15
_GOODBYE_SECONDS: Final = 5


class Server:
    """Has the port from the beginning, so that the address can be told before `run`.

    host: where to listen; other than a loopback address only where a token holds. port: 0 takes a
    free one. Raises StoreError where there is no store, BigsecError where the port is taken or the
    address may not be served.
    """

    def __init__(
        self,
        store: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rules: tuple[str, ...] = (),
        timezone: str = "UTC",
        lake: str | None = None,
    ) -> None:
        settings = Settings(
            store=Path(store),
            rules=rules,
            timezone=timezone,
            lake=None if lake is None else Path(lake),
        )
        with open_store(settings.store) as opened:
            self._needs_login = tokens_exist(opened)
            if not _is_loopback(host) and not tokens_exist(opened, holding=True):
                raise _open_to_all(host)
        self._app = create_app(settings)
        self._socket = _listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self._socket.getsockname()[1]}"

    @property
    def link(self) -> str:
        """What to open in a browser: the address, or where needed a link that logs in once."""
        if not self._needs_login:
            return f"{self.address}/"
        return f"{self.address}/login?code={self._app.state.sessions.new_link()}"

    @property
    def needs_login(self) -> bool:
        """Whether pages ask for a log-in."""
        return self._needs_login

    def run(self) -> None:
        """Serve until the process is asked to end."""
        config = uvicorn.Config(
            self._app,
            access_log=False,  # Its lines would hold log-in codes.
            log_level="warning",
            server_header=False,
            date_header=True,
            proxy_headers=False,
            h11_max_incomplete_event_size=_HEADER_BYTES_MAX,
            http="h11",
            ws="none",
            lifespan="off",
            limit_concurrency=_CONNECTIONS_MAX,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GOODBYE_SECONDS,
        )
        try:
            uvicorn.Server(config).run(sockets=[self._socket])
        except KeyboardInterrupt:
            pass  # Ctrl-C is how a server at a terminal ends.
        finally:
            self.close()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, proto, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, proto)
    except OSError as error:
        raise _no_port(host, port, error) from error
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(place)
        made.listen(128)
    except OSError as error:
        made.close()
        raise _no_port(host, port, error) from error
    return made


def _no_port(host: str, port: int, error: OSError) -> BigsecError:
    message = f"{host}:{port} cannot be listened on: {error.strerror or error}"
    taken = error.errno == errno.EADDRINUSE
    mend = "Name another with --port; 0 takes a free one." if taken else "Check --host and --port."
    return _error(PORT, message, mend)


def _open_to_all(host: str) -> BigsecError:
    message = f"{host} can be reached from other machines, and the store has no token that holds"
    mend = "Make one first: bigsec token create NAME --expires 90d --store DIR"
    return _error(NO_TOKEN, message, mend)


def _error(code: Code, message: str, mend: str) -> BigsecError:
    problem = Problem(code.number, code.name, message, mend=mend)
    return BigsecError(code.number, code.name, message, (problem,))
