"""How many datagrams are dropped at a steady rate, beside a receiver that does nothing else?

    python bench/datagrams.py [--rate N] [--seconds N] [--json]

One sender, 300 bytes a datagram. The bare receiver has a socket buffer of the same size. What the
daemon says that the kernel dropped must be what it did not receive.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import socket
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent / "tests" / "collect"))

from support.daemon import Daemon  # noqa: E402
from support.ports import HOST, free_port  # noqa: E402
from support.sources import Sources  # noqa: E402

BYTES = 300
BUFFER_BYTES = 8 << 20
# Datagrams between two looks at the clock.
BURST = 50
Address = tuple[str, int]


def main(arguments: list[str]) -> int:
    """Print the rows, as a table or as JSON."""
    made = argparse.ArgumentParser(prog="datagrams.py", description=(__doc__ or "").split("\n")[0])
    made.add_argument("--rate", type=int, default=50_000, help="datagrams a second")
    made.add_argument("--seconds", type=int, default=10)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bigsec-bench-", dir=Path.cwd()) as name:
        rows = [
            {"side": "bare", **bare(options.rate, options.seconds)},
            {"side": "bigsec", **ours(Path(name), options.rate, options.seconds)},
        ]
    for row in rows:
        told = "  ".join(f"{key} {value}" for key, value in row.items())
        print(json.dumps(row) if options.json else told)
    return 0


def ours(folder: Path, rate: int, seconds: int) -> dict[str, object]:
    """The daemon: records kept, and drops as the kernel counts them."""
    sources = Sources()
    address = sources.listen("in", "syslog_udp", f"receive_buffer_bytes = {BUFFER_BYTES}")
    daemon = Daemon(folder / "relay", sources.text, more="[rules]\nenabled = false")
    try:
        daemon.start()
        sent, took = in_process(address, rate, seconds)
        time.sleep(2)
        meters = daemon.status()["sources"]["in"]["meters"]
        daemon.stop()
    finally:
        daemon.drop()
    kept, drops = meters["records"], meters["kernel_drops"]
    if kept + drops != sent:
        raise SystemExit(f"failed: {kept} kept and {drops} dropped of {sent}")
    return {"sent": sent, "rate": round(sent / took), "received": kept, "dropped": drops}


def bare(rate: int, seconds: int) -> dict[str, object]:
    """A receiver that throws away what it gets."""
    address = (HOST, free_port(socket.SOCK_DGRAM))
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # As the daemon does: beyond the system's limit where it may.
    try:
        receiver.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
    except PermissionError:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    receiver.bind(address)
    receiver.settimeout(0.2)
    with multiprocessing.Pool(1) as pool:
        sending = pool.apply_async(send, (address, rate, seconds))
        received = 0
        while True:
            try:
                receiver.recv_into(_ROOM)
                received += 1
            except TimeoutError:
                if sending.ready():
                    break
        sent, took = sending.get()
    receiver.close()
    return {
        "sent": sent,
        "rate": round(sent / took),
        "received": received,
        "dropped": sent - received,
    }


_ROOM = bytearray(2048)
_SO_RCVBUFFORCE = 33


def in_process(address: Address, rate: int, seconds: int) -> tuple[int, float]:
    """Send from another process."""
    with multiprocessing.Pool(1) as pool:
        return pool.apply(send, (address, rate, seconds))


def send(address: Address, rate: int, seconds: int) -> tuple[int, float]:
    """Send at a rate; gives how many, and the seconds that it took."""
    datagram = b"<34>Oct 11 22:14:15 host app: ".ljust(BYTES, b"x")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        began, sent = time.perf_counter(), 0
        while sent < rate * seconds:
            for _ in range(BURST):
                sender.send(datagram)
            sent += BURST
            ahead = sent / rate - (time.perf_counter() - began)
            if ahead > 0:
                time.sleep(ahead)
        return sent, time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
