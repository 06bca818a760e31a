"""How many events a CPU second does the daemon take in, beside rsyslog and syslog-ng?

    python bench/collect.py [--megabytes N] [--rounds N] [--json]

Each side receives the same lines over TCP and parses them; the peers write JSON, ours keeps the
evidence (hashed, chained, flushed) and detects with no rules. CPU seconds are user + system of the
daemon and its children from the first byte to the last line out; ours counts when its consumer has
caught up. A side whose fields did not come out makes the script fail. Needs `make senders`.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from corpus import SHARED, lines

BENCH = Path(__file__).resolve().parent
CONFIGS = BENCH / "peers" / "collect"
sys.path.insert(0, str(BENCH.parent / "tests" / "collect"))

from support import real_senders  # noqa: E402
from support.daemon import Daemon  # noqa: E402
from support.ports import HOST, free_port, wait_until  # noqa: E402
from support.sources import Sources  # noqa: E402

DEADLINE_S = 300.0
PEERS = ("rsyslog", "syslog-ng")
# Corpus, the peers' configuration, and a field that must stand in each line of their output.
CASES = {
    "sshd": ("loghub-2k/OpenSSH/OpenSSH_2k.log.zst", "syslog", "process"),
    "eve": ("suricata-eve/eve.ndjson.zst", "json", "event_type"),
}
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A side did not do the work, so that its speed says nothing."""


def main(arguments: list[str]) -> int:
    """Print the table, or the rows as JSON."""
    made = argparse.ArgumentParser(prog="collect.py", description=(__doc__ or "").split("\n")[0])
    made.add_argument("--megabytes", type=int, default=100, help="size of each corpus")
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    try:
        for case in CASES:
            with tempfile.TemporaryDirectory(prefix="bigsec-bench-") as name:
                measure(case, Path(name), options)
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


def measure(case: str, folder: Path, options: argparse.Namespace) -> None:
    """One corpus on every side, in turn."""
    relative, kind, field = CASES[case]
    data, count = repeated(SHARED / relative, options.megabytes << 20, kind)
    rates: dict[str, list[float]] = {"bigsec": [], **{name: [] for name in PEERS}}
    for number in range(options.rounds):
        place = folder / str(number)
        used = ours(place / "bigsec", data, count)
        rates["bigsec"].append(count / max(used, 1 / _TICKS_A_SECOND))
        for name in PEERS:
            used = peer(name, f"{name}-{kind}.conf", place / name, data, count, field)
            rates[name].append(count / max(used, 1 / _TICKS_A_SECOND))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    best = max(medians[name] for name in PEERS)
    row = {name: round(rate) for name, rate in medians.items()}
    ratio = round(medians["bigsec"] / best, 2)
    if options.json:
        print(json.dumps({"case": case, "events": count, **row, "ratio": ratio}), flush=True)
    else:
        told = "  ".join(f"{name} {rate:,}" for name, rate in row.items())
        print(f"{case:8}{count:10,} events  {told} events/CPU s  ratio {ratio:.2f}", flush=True)


def repeated(path: Path, size: int, kind: str) -> tuple[bytes, int]:
    """The lines of a corpus again and again up to a size; syslog lines get their priority."""
    head = b"<38>" if kind == "syslog" else b""
    once = [head + line for line in lines(path) if line]
    block = b"\n".join(once) + b"\n"
    times = max(1, size // len(block))
    return block * times, len(once) * times


def ours(folder: Path, data: bytes, count: int) -> float:
    """CPU seconds of our daemon."""
    sources = Sources()
    address = sources.listen("in", "syslog_tcp", 'framing = "lines"')
    empty = folder / "rules"
    empty.mkdir(parents=True)
    (empty / "never.yml").write_text(NO_MATCH)
    daemon = Daemon(folder / "relay", sources.text, more=f'[rules]\npaths = ["{empty}"]')
    try:
        daemon.start()
        before = daemon.cpu_s()
        send(address, data)
        wait_until(lambda: _looked_at(daemon) >= count, DEADLINE_S, "our consumer catches up")
        used = daemon.cpu_s() - before
        ledger = daemon.status()["sources"]["in"]["ledger"]
        if ledger["parsed"] != count:
            raise Failed(f"bigsec parsed {ledger['parsed']} of {count}")
        daemon.stop(120)
    finally:
        daemon.drop()
    return used


NO_MATCH = """title: Never
id: 3f0c8b0e-7a55-4d6a-9b0e-0d3c2f1a5e77
status: stable
logsource: {product: nothing}
detection: {selection: {never: never}, condition: selection}
level: low
"""


def _looked_at(daemon: Daemon) -> int:
    ledger = daemon.status()["sources"]["in"]["ledger"]
    return int(ledger["received"]) if ledger else 0


def peer(name: str, config: str, folder: Path, data: bytes, count: int, field: str) -> float:
    """CPU seconds of a peer."""
    folder.mkdir(parents=True)
    port, output = free_port(), folder / "out.json"
    text = (CONFIGS / config).read_text()
    for key, value in {"FOLDER": folder, "OUTPUT": output, "PORT": port}.items():
        text = text.replace(f"@{key}@", str(value))
    path = folder / config
    path.write_text(text)
    run = real_senders.rsyslog if name == "rsyslog" else real_senders.syslog_ng
    with run(path) as process:
        wait_until(lambda: _listens(port), 30, f"{name} listens")
        pid = _daemon_of(process.pid)
        before = _cpu_s(pid)
        send((HOST, port), data)
        quiet = _settles(lambda: _cpu_s(pid))
        used = quiet - before
    written = output.read_bytes().splitlines()
    mark = f'"{field}":'.encode()
    whole = sum(mark in line for line in written)
    if len(written) < count or whole < count * 0.99:
        raise Failed(f"{name} wrote {len(written)} of {count} lines, {whole} with `{field}`")
    output.unlink()
    return used


def send(address: tuple[str, int], data: bytes) -> None:
    """All bytes over one connection."""
    with socket.create_connection(address) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def _settles(value: Callable[[], float]) -> float:
    """The value once it has not grown for two seconds."""
    last, since = value(), time.monotonic()
    while time.monotonic() < since + 2:
        time.sleep(0.1)
        if (now := value()) > last:
            last, since = now, time.monotonic()
    return last


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[at]) for at in range(11, 15)) / _TICKS_A_SECOND


def _daemon_of(pid: int) -> int:
    """syslog-ng runs below a supervisor of its own."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else pid


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
