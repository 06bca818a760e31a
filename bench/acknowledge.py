"""How many records a second are acknowledged, beside a bare program that flushes the same bytes?

    python bench/acknowledge.py [--records N] [--senders N] [--windows N,N] [--json]

Senders push records of 300 bytes. Over RELP a window of them may be without an answer, as rsyslog's
omrelp does it; over HTTP a batch is. Each sender has a connection, and what it sends was put
together before. The bare program writes the payload bytes in groups of the daemon's mean size, and
calls fdatasync after each: nothing that acknowledges durable records can do less. Wall-clock time.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent / "tests" / "collect"))

from support.daemon import Daemon  # noqa: E402
from support.sources import Sources  # noqa: E402

RECORD_BYTES = 300
Address = tuple[str, int]


def main(arguments: list[str]) -> int:
    """Print the table, or the rows as JSON."""
    made = argparse.ArgumentParser(
        prog="acknowledge.py", description=(__doc__ or "").split("\n")[0]
    )
    made.add_argument("--records", type=int, default=200_000, help="of each row")
    made.add_argument("--senders", type=int, default=1)
    made.add_argument("--windows", default="32,128,1024", help="records of a window or batch")
    made.add_argument("--group-ms", type=int, default=0)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    for window in (int(one) for one in options.windows.split(",")):
        for protocol, make in (("relp", RelpSender), ("http", HttpSender)):
            with tempfile.TemporaryDirectory(prefix="bigsec-bench-", dir=Path.cwd()) as name:
                row = measure(protocol, make, Path(name), window, options)
            if options.json:
                print(json.dumps({"protocol": protocol, **row}), flush=True)
            else:
                told = "  ".join(f"{key} {value:,}" for key, value in row.items())
                print(f"{protocol:5} {told}", flush=True)
    return 0


class Sender(Protocol):
    """Sends what it put together, a window at a time, and waits for each window's answers."""

    def send(self, address: Address) -> None:
        """Send all."""


def measure(
    protocol: str,
    make: Callable[[int, int], Sender],
    folder: Path,
    window: int,
    options: argparse.Namespace,
) -> dict[str, float]:
    """Ours, then the bare program with the same groups."""
    sources = Sources()
    address = sources.listen("in", protocol)
    daemon = Daemon(
        folder / "relay",
        sources.text,
        more="[rules]\nenabled = false",
        log=f"group_ms = {options.group_ms}",
    )
    try:
        daemon.start()
        share = options.records // options.senders
        senders = [
            threading.Thread(target=make(share, window).send, args=(address,))
            for _ in range(options.senders)
        ]
        began = time.monotonic()
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        took = time.monotonic() - began
        log = daemon.status()["log"]
        sent = share * options.senders
        if log["size"] < sent:
            raise SystemExit(f"failed: {log['size']} of {sent} records are in the log")
        daemon.stop(120)
    finally:
        daemon.drop()
    group = max(1, round(log["payload_bytes"] / log["groups"]))
    bare = bare_s(folder / "bare", sent * RECORD_BYTES, group)
    return {
        "window": window,
        "records": sent,
        "group_bytes": group,
        "acknowledged_per_s": round(sent / took),
        "bare_per_s": round(sent / bare),
        "ratio": round(bare / took, 2),
    }


def bare_s(path: Path, size: int, group: int) -> float:
    """Seconds to write and flush so many bytes in groups."""
    block = os.urandom(group)
    file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        began = time.monotonic()
        for _ in range(max(1, size // group)):
            os.write(file, block)
            os.fdatasync(file)
        return time.monotonic() - began
    finally:
        os.close(file)


RECORD = b"<34>Oct 11 22:14:15 host app: ".ljust(RECORD_BYTES, b"x")
OFFERS = b"relp_version=0\ncommands=syslog"


STEPS = 4
"""Parts of a window that are sent at once."""


class RelpSender:
    """Frames of RELP, each acknowledged with a frame of its own."""

    def __init__(self, count: int, window: int) -> None:
        numbers = range(2, count + 2)
        step = max(1, window // STEPS)
        parts = [numbers[at : at + step] for at in range(0, count, step)]
        self._window = window
        self._parts = [
            (len(part), b"".join(b"%d syslog %d %s\n" % (n, len(RECORD), RECORD) for n in part))
            for part in parts
        ]
        self._waiting = 0
        self._answers = b""

    def send(self, address: Address) -> None:
        """Send all."""
        with socket.create_connection(address) as connection:
            connection.sendall(b"1 open %d %s\n" % (len(OFFERS), OFFERS))
            while b"commands=" not in connection.recv(65_536):
                pass
            for many, frames in self._parts:
                self._wait(connection, self._window - many)
                connection.sendall(frames)
                self._waiting += many
            self._wait(connection, 0)

    def _wait(self, connection: socket.socket, waiting: int) -> None:
        """Until at most so many have no answer."""
        while self._waiting > waiting:
            answers = connection.recv(1 << 20)
            if not answers:
                raise SystemExit("failed: the daemon hung up")
            self._answers += answers
            whole = self._answers[: self._answers.rfind(b"\n") + 1]
            self._answers = self._answers[len(whole) :]
            many = whole.count(b"\n")
            if whole.count(b" rsp 6 200 OK\n") != many:
                raise SystemExit(f"failed: the daemon answered {whole[:200]!r}")
            self._waiting -= many


class HttpSender:
    """Batches of lines, one request each, on one connection."""

    def __init__(self, count: int, window: int) -> None:
        sizes = [min(window, count - at) for at in range(0, count, window)]
        bodies = {size: (RECORD + b"\n") * size for size in set(sizes)}
        head = b"POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n"
        requests = {size: head % len(body) + body for size, body in bodies.items()}
        self._requests = [requests[size] for size in sizes]

    def send(self, address: Address) -> None:
        """Send all."""
        with socket.create_connection(address) as connection:
            for request in self._requests:
                connection.sendall(request)
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                told = answer.read()
                if answer.status // 100 != 2:
                    raise SystemExit(f"failed: the daemon answered {answer.status} {told!r}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
