"""Connections that the service manager held while no daemon ran.

Source: sd_notify(3) (FDSTORE=1) and sd_listen_fds(3) (LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES). A
connection is passed on with the number of bytes that were taken out of it, as the system counts
them (tcp(7), TCP_INFO): nobody else knows it after a `kill -9`.
"""

from __future__ import annotations

import array
import fcntl
import os
import socket
import stat
import struct
import sys
import termios
from collections.abc import MutableMapping
from typing import Final

from bigsec import _core

__all__ = ["descriptor_store", "taken_bytes"]

FIRST: Final = 3
"""The first descriptor that is passed on (SD_LISTEN_FDS_START)."""
BYTES_RECEIVED_AT: Final = 128
"""Where `tcpi_bytes_received` stands in `struct tcp_info` (Linux 4.1)."""
FIN_RECEIVED: Final = frozenset({8, 9})
"""States of TCP in which the end of the stream came and was counted: CLOSE_WAIT, LAST_ACK."""
LOOKS: Final = 100
"""How often it is tried to read both counters while nothing comes between."""


def descriptor_store(
    environ: MutableMapping[str, str] | None = None,
) -> _core.DescriptorStore | None:
    """The store of the service manager, with what it held; None where there is none.

    Takes LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES out of `environ`.
    """
    environ = os.environ if environ is None else environ
    passed = _passed(environ)
    address = environ.get("NOTIFY_SOCKET", "")
    if not address or sys.platform != "linux":
        return None
    try:
        store = _core.DescriptorStore(address)
        store.inherit(len(passed), lambda way: _send(way, passed))
    except OSError:
        return None  # Whoever listened is gone; the work goes on without.
    return store


def taken_bytes(connection: socket.socket) -> int:
    """How many bytes of a connection's stream were read out of its socket."""
    for _ in range(LOOKS):
        received, unread = _received(connection), _unread(connection)
        if received == _received(connection):
            break
    return received - unread


def _received(connection: socket.socket) -> int:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED_AT + 8)
    (received,) = struct.unpack_from("<Q" if sys.byteorder == "little" else ">Q", info, 128)
    return int(received) - (info[0] in FIN_RECEIVED)


def _unread(connection: socket.socket) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(connection, termios.FIONREAD, count)
    return count[0]


def _passed(environ: MutableMapping[str, str]) -> dict[int, list[int]]:
    """The descriptors that were passed on, by their names; others are closed."""
    told = {name: environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")}
    if told["LISTEN_PID"] != str(os.getpid()) or not told["LISTEN_FDS"].isdigit():
        return {}
    names = told["LISTEN_FDNAMES"].split(":")
    passed: dict[int, list[int]] = {}
    for number in range(int(told["LISTEN_FDS"])):
        descriptor = FIRST + number
        try:
            os.set_inheritable(descriptor, False)
            passed.setdefault(int(names[number], 16), []).append(descriptor)
        except (ValueError, IndexError):
            os.close(descriptor)
        except OSError:
            continue  # There is none.
    return passed


def _send(way: int, passed: dict[int, list[int]]) -> None:
    """Each socket with its name; what else has the name goes with it."""
    with socket.socket(fileno=way) as out:
        for key, descriptors in passed.items():
            descriptors.sort(key=lambda one: not stat.S_ISSOCK(os.fstat(one).st_mode))
            with socket.socket(fileno=descriptors[0]) as one:
                listens = one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                taken = b"" if listens else struct.pack("<Q", taken_bytes(one))
                shown = descriptors[: 1 if listens else 2]
                socket.send_fds(out, [struct.pack("<Q", key) + taken], shown)
            for other in descriptors[1:]:
                os.close(other)
