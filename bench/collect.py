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
import re
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from collect_corpora import CORPORA, Corpus

BENCH = Path(__file__).resolve().parent
CONFIGS = BENCH / "peers" / "collect"
sys.path.insert(0, str(BENCH.parent / "tests" / "collect"))

from support import real_senders  # noqa: E402
from support.daemon import Daemon  # noqa: E402
from support.ports import HOST, free_port, wait_until  # noqa: E402
from support.sources import Sources  # noqa: E402

DEADLINE_S = 300.0
PEERS = ("rsyslog", "syslog-ng")
PARSED_AT_LEAST = 0.9
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A side did not do the work, so that its speed says nothing."""


def main(arguments: list[str]) -> int:
    """Print the table, or the rows as JSON."""
    made = argparse.ArgumentParser(prog="collect.py", description=(__doc__ or "").split("\n")[0])
    made.add_argument("--megabytes", type=int, default=100, help="size of each corpus")
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--json", action="store_true", help="one row a line")
    made.add_argument("--corpora", nargs="*", choices=sorted(CORPORA), help="only these")
    options = made.parse_args(arguments)
    shares: list[dict[str, float]] = []
    try:
        for case in options.corpora or CORPORA:
            with tempfile.TemporaryDirectory(prefix="bigsec-bench-") as name:
                shares.append(measure(case, Path(name), options))
        if not options.corpora:
            tell_mix(shares, options)
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


def measure(case: str, folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """One corpus on every side, in turn; gives the CPU seconds of an event."""
    corpus = CORPORA[case]
    data, count = repeated(corpus, options.megabytes << 20)
    rates: dict[str, list[float]] = {"bigsec": [], **{name: [] for name in PEERS}}
    fields = dict.fromkeys(PEERS, 1.0)
    for number in range(options.rounds):
        place = folder / str(number)
        used = ours(place / "bigsec", data, count)
        rates["bigsec"].append(count / max(used, 1 / _TICKS_A_SECOND))
        for name in PEERS:
            used, whole = peer(name, corpus, place / name, data, count)
            rates[name].append(count / max(used, 1 / _TICKS_A_SECOND))
            fields[name] = min(fields[name], whole)
    medians = {name: statistics.median(found) for name, found in rates.items()}
    # A peer that reads less than it is sent does less work: its speed says nothing.
    able = [name for name in PEERS if fields[name] >= PARSED_AT_LEAST]
    if not able:
        raise Failed(f"{case}: no peer parsed it: {fields}")
    best = max(medians[name] for name in able)
    row = {name: round(rate) for name, rate in medians.items()}
    ratio = round(medians["bigsec"] / best, 2)
    if options.json:
        told: dict[str, object] = {"case": case, "events": count, **row, "ratio": ratio}
        print(json.dumps({**told, "parsed": fields}), flush=True)
    else:
        columns = "  ".join(
            f"{name} {rate:>9,}{'' if name not in fields or name in able else ' (void)'}"
            for name, rate in row.items()
        )
        print(f"{case:10}{count:9,} events  {columns}  ratio {ratio:.2f}", flush=True)
    return {"bigsec": 1 / medians["bigsec"], "peer": 1 / best}


def tell_mix(shares: list[dict[str, float]], options: argparse.Namespace) -> None:
    """An event of each corpus: ours against the better peer for each."""
    used = {side: sum(share[side] for share in shares) for side in ("bigsec", "peer")}
    rates = {side: round(len(shares) / seconds) for side, seconds in used.items()}
    ratio = round(used["peer"] / used["bigsec"], 2)
    if options.json:
        print(json.dumps({"case": "mix", **rates, "ratio": ratio}), flush=True)
        return
    print(f"mix of all: bigsec {rates['bigsec']:,}  better peer {rates['peer']:,}  ratio {ratio}")


def repeated(corpus: Corpus, size: int) -> tuple[bytes, int]:
    """The lines of a corpus again and again up to a size."""
    once = [line for line in corpus.lines() if line]
    block = b"\n".join(once) + b"\n"
    times = max(1, size // len(block))
    return block * times, len(once) * times


def ours(folder: Path, data: bytes, count: int) -> float:
    """CPU seconds of our daemon."""
    sources = Sources()
    address = sources.listen("in", "syslog_tcp", 'framing = "lines"')
    daemon = Daemon(folder / "relay", sources.text, more="[rules]\nenabled = false")
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


def _looked_at(daemon: Daemon) -> int:
    ledger = daemon.status()["sources"]["in"]["ledger"]
    return int(ledger["received"]) if ledger else 0


def peer(name: str, corpus: Corpus, folder: Path, data: bytes, count: int) -> tuple[float, float]:
    """CPU seconds of a peer, and the share of the lines that it parsed."""
    config = f"{name}-{corpus.kind}.conf"
    folder.mkdir(parents=True)
    port, output = free_port(), folder / "out.json"
    text = (CONFIGS / config).read_text()
    for key, value in {
        "CONFIGS": CONFIGS,
        "FOLDER": folder,
        "OUTPUT": output,
        "PORT": port,
    }.items():
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
    mark = re.compile(f'"{corpus.field}": *"[^"]'.encode())
    whole = sum(mark.search(line) is not None for line in written)
    if len(written) < count:
        raise Failed(f"{name} wrote {len(written)} of {count} lines")
    output.unlink()
    return used, whole / count


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
