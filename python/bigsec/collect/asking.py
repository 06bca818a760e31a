"""Asking a running daemon how it is, over its own address."""

from __future__ import annotations

import http.client
import json
from typing import Any, Final

from bigsec.errors import DaemonError, Problem

__all__ = ["ask_status", "daemon_at"]

TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
"""A thousand sources with all their counters are a megabyte."""


def ask_status(listen: str) -> dict[str, Any]:
    """What /status says. Raises DaemonError where none answers."""
    host, _, port = listen.rpartition(":")
    link = http.client.HTTPConnection(_reachable(host), int(port), timeout=TIMEOUT_S)
    try:
        link.request("GET", "/status", headers={"Accept": "application/json"})
        answer = link.getresponse()
        body = answer.read(ANSWER_BYTES_MAX + 1)
        if answer.status != http.client.OK or len(body) > ANSWER_BYTES_MAX:
            raise _away(listen, f"it answers {answer.status}, which no daemon of ours does")
        found = json.loads(body)
    except (OSError, http.client.HTTPException) as error:
        raise _away(listen, str(error) or type(error).__name__) from error
    except ValueError as error:
        raise _away(listen, "its answer is no status") from error
    finally:
        link.close()
    if not isinstance(found, dict):
        raise _away(listen, "its answer is no status")
    return found


def daemon_at(listen: str) -> bool:
    """Whether a daemon answers there."""
    try:
        ask_status(listen)
    except DaemonError:
        return False
    return True


def _reachable(host: str) -> str:
    """Where to ask for an address that means every one of this machine's."""
    host = host.strip("[]")
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # not bound to


def _away(listen: str, why: str) -> DaemonError:
    code, name = "BS4209", "daemon.away"
    message = f"no daemon answers at {listen}: {why}"
    mend = "Start it with `bigsec run`, or name the configuration it runs with by --config."
    return DaemonError(code, name, message, (Problem(code, name, message, mend=mend),))
