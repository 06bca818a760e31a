"""How many records a second are acknowledged, beside a bare program that flushes the same bytes?

    python bench/acknowledge.py [--records N] [--senders N] [--json]

Senders push records of 300 bytes over RELP and HTTP, a window or batch at a time, and wait for its
answer. The bare program writes the payload bytes in groups of the daemon's mean size, and
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
from typing import IO

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
    made.add_argument("--records", type=int, default=1_000_000)
    made.add_argument("--senders", type=int, default=8)
    made.add_argument("--window", type=int, default=1_024, help="records of a window or batch")
    made.add_argument("--group-ms", type=int, default=0)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    for protocol, send in (("relp", over_relp), ("http", over_http)):
        with tempfile.TemporaryDirectory(prefix="bigsec-bench-", dir=Path.cwd()) as name:
            row = measure(protocol, send, Path(name), options)
        if options.json:
            print(json.dumps({"protocol": protocol, **row}), flush=True)
        else:
            told = "  ".join(f"{key} {value:,}" for key, value in row.items())
            print(f"{protocol:5} {told}", flush=True)
    return 0


def measure(
    protocol: str,
    send: Callable[[Address, int, int], None],
    folder: Path,
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
            threading.Thread(target=send, args=(address, share, options.window))
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


def over_relp(address: Address, count: int, window: int) -> None:
    """So many records, window by window."""
    record = b"<34>Oct 11 22:14:15 host app: ".ljust(RECORD_BYTES, b"x")
    with socket.create_connection(address) as connection:
        answers = connection.makefile("rb")
        connection.sendall(b"1 open " + OPEN)
        read_answers(answers, 1)
        number = 2
        while count > 0:
            many = min(window, count)
            frames = b"".join(
                b"%d syslog %d %s\n" % (number + at, len(record), record) for at in range(many)
            )
            connection.sendall(frames)
            read_answers(answers, many)
            number += many
            count -= many


OFFERS = b"relp_version=0\ncommands=syslog"
OPEN = b"%d %s\n" % (len(OFFERS), OFFERS)


def read_answers(answers: IO[bytes], count: int) -> None:
    """Wait for so many `rsp` frames that say 200."""
    while count > 0:
        line = answers.readline()
        if not line:
            raise SystemExit("failed: the daemon hung up")
        parts = line.split(b" ")
        if parts[1:2] != [b"rsp"]:
            continue
        if parts[3:4] not in ([b"200"], [b"200\n"]):
            raise SystemExit(f"failed: the daemon answered {line!r}")
        count -= 1


def over_http(address: Address, count: int, window: int) -> None:
    """So many records, batch by batch."""
    line = b"<34>Oct 11 22:14:15 host app: ".ljust(RECORD_BYTES, b"x") + b"\n"
    connection = http.client.HTTPConnection(*address)
    while count > 0:
        many = min(window, count)
        connection.request("POST", "/", line * many)
        answer = connection.getresponse()
        answer.read()
        if answer.status // 100 != 2:
            raise SystemExit(f"failed: the daemon answered {answer.status}")
        count -= many
    connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
