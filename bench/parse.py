"""How many lines a CPU second become OCSF events in Arrow batches, beside other parsers?

    python bench/parse.py [--case CASE] [--mib N] [--rounds N] [--json]

Real lines of one format, repeated to N MiB. Every side runs in a process of its own, in turn; CPU
seconds are user + system of the process from the moment when it stands ready. A side in whose
results a field of the format is missing in more than one line of fifty makes the script fail. Ours
normalises and makes columns; the others give fields. Peers: VRL's own functions (crate vrl 0.38,
compiled, mimalloc), and what Python has: `re`, `orjson.loads`, `pyarrow.csv` with strings.
`threads` reads the Apache lines in one thread and in two, and tells the wall time saved; `memory`
reads four times the lines.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from collect_corpora import CORPORA, apache_lines, sshd_lines
from corpus import SHARED, lines, named

BENCH = Path(__file__).resolve().parent
OURS = "bigsec"
MIB = 1 << 20
# Lines of fifty that may lack the field: real logs have some broken ones.
MOST_LACKING = 50


class Failed(Exception):
    """A side did not do the work, so that its speed says nothing."""


@dataclass(frozen=True)
class Case:
    """A format: its lines, the column of ours, and the peers as `(name, arguments, field)`."""

    column: str
    lines: Callable[[], Iterator[bytes]]
    vrl: dict[str, tuple[str, str]]
    python: dict[str, str]
    bar: float
    head: int = 0


def _bare(name: str) -> Callable[[], Iterator[bytes]]:
    """Of the daemon's corpora the lines without the header they are sent with."""
    return lambda: (line.split(b": ", 1)[1] for line in CORPORA[name].lines())


ACCESS = (
    r"parse_regex!(.message, r'^(?P<host>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] "
    r'"(?P<method>\S+) (?P<path>\S+) (?P<protocol>[^"]*)" (?P<status>\d+) (?P<size>\S+) '
    r'"(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"'
    "')"
)
CASES: dict[str, Case] = {
    "apache": Case(
        "http_request.user_agent",
        apache_lines,
        {
            "vrl parse_apache_log": ('. = parse_apache_log!(.message, "combined")', "agent"),
            "vrl parse_regex": (f". = {ACCESS}", "agent"),
        },
        {"python re": "re-apache"},
        6,
    ),
    "sshd": Case(
        "message",
        sshd_lines,
        {"vrl parse_syslog": (". = parse_syslog!(.message)", "message")},
        {"python re": "re-syslog"},
        2.5,
    ),
    "kv": Case(
        "device.hostname",
        _bare("key=value"),
        {"vrl parse_key_value": (". = parse_key_value!(.message)", "devname")},
        {"python re": "re-pairs"},
        8,
    ),
    "cef": Case(
        "metadata.product_name",
        _bare("cef"),
        {"vrl parse_cef": (". = parse_cef!(.message)", "deviceProduct")},
        {},
        20,
    ),
    "eve": Case(
        "connection_info.uid",
        CORPORA["eve"].lines,
        {"vrl parse_json": (". = parse_json!(.message)", "flow_id")},
        {"orjson.loads": "orjson"},
        1.5,
    ),
    "zeek": Case(
        "src_endpoint.ip",
        lambda: lines(named(SHARED / "zeek-tsv-json", "ssl.log")),
        {},
        {"pyarrow.csv": "pyarrow"},
        1.2,
        head=8,
    ),
}


@dataclass(frozen=True)
class Run:
    """What one process read, and what it cost."""

    lines: int
    with_field: int
    cpu_s: float
    wall_s: float = 0
    rss_kib_max: int = 0


def main(arguments: list[str]) -> int:
    """Print the table, or the rows as JSON."""
    made = argparse.ArgumentParser(prog="parse.py", description=(__doc__ or "").split("\n", 1)[0])
    made.add_argument("--case", choices=[*CASES, "threads", "memory"], help="one alone")
    made.add_argument("--mib", type=int, default=64)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    try:
        peer = build_peer()
        with tempfile.TemporaryDirectory(prefix="bigsec-bench-") as name:
            for case in [options.case] if options.case else [*CASES, "threads", "memory"]:
                for row in measure(case, Path(name), peer, options):
                    tell(row, as_json=options.json)
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


def measure(
    name: str, folder: Path, peer: Path, options: argparse.Namespace
) -> Iterator[dict[str, object]]:
    """The rows of a case: each side's rate, and how many times a peer's ours is."""
    case = CASES.get(name, CASES["apache"])
    path = write(case, folder / f"{name}.log", options.mib)
    if name == "threads":
        yield from _threads(path, options.rounds)
        return
    if name == "memory":
        yield from _memory(case, path, folder, options)
        return
    sides = {OURS: ours(path, case.column)}
    for side, (program, field) in case.vrl.items():
        sides[side] = [str(peer), program, field, str(path)]
    for side, kind in case.python.items():
        sides[side] = python(kind, path)
    runs = in_turn(name, sides, options.rounds)
    rates = {
        side: statistics.median(one.lines / one.cpu_s for one in of) for side, of in runs.items()
    }
    for side, rate in rates.items():
        row: dict[str, object] = {"case": name, "side": side, "lines_per_cpu_s": round(rate)}
        if side != OURS:
            row["ours_is"] = round(rates[OURS] / rate, 2)
        yield row
    best = max(rate for side, rate in rates.items() if side != OURS)
    yield {"case": name, "ours_to_best_here": round(rates[OURS] / best, 2), "bar": case.bar}


def write(case: Case, path: Path, mib: int) -> Path:
    """The lines, repeated; of a format with header lines these once."""
    every = list(case.lines())
    head, body = every[: case.head], every[case.head :]
    if case.head:
        body = [line for line in body if not line.startswith(b"#")]
    block = b"".join(line + b"\n" for line in body)
    with path.open("wb") as file:
        file.write(b"".join(line + b"\n" for line in head))
        for _ in range(max(1, mib * MIB // len(block))):
            file.write(block)
    return path


def ours(path: Path, column: str, *more: str) -> list[str]:
    """The command that reads a file with bigsec."""
    return [sys.executable, str(BENCH / "parse_sides.py"), OURS, str(path), column, *more]


def python(kind: str, path: Path) -> list[str]:
    """The command that reads it with a library of Python."""
    return [sys.executable, str(BENCH / "parse_sides.py"), kind, str(path)]


def in_turn(case: str, sides: dict[str, list[str]], rounds: int) -> dict[str, list[Run]]:
    """Run the sides in turn, so that a noisy minute meets all of them."""
    runs: dict[str, list[Run]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, command in sides.items():
            runs[side].append(run(f"{case}: {side}", command))
    return runs


def run(name: str, command: list[str]) -> Run:
    """One process, and whether the field came out."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{name}: {done.stderr.strip()[-500:]}")
    made = Run(**json.loads(done.stdout))
    if (made.lines - made.with_field) * MOST_LACKING > made.lines:
        raise Failed(f"{name}: only {made.with_field} of {made.lines} lines have the field")
    return made


def _threads(path: Path, rounds: int) -> Iterator[dict[str, object]]:
    column = CASES["apache"].column
    walls = {
        count: min(
            run(f"{count} threads", ours(path, column, str(count))).wall_s for _ in range(rounds)
        )
        for count in (1, 2)
    }
    # Two threads read the file once each: twice the work.
    yield {"case": "threads", "speed_of_two": round(2 * walls[1] / walls[2], 2), "bar": 1.8}


def _memory(
    case: Case, path: Path, folder: Path, options: argparse.Namespace
) -> Iterator[dict[str, object]]:
    large = write(case, folder / "large.log", options.mib * 4)
    small_run, large_run = (run("memory", ours(one, case.column)) for one in (path, large))
    yield {
        "case": "memory",
        "rss_mib": round(small_run.rss_kib_max / 1024),
        "rss_mib_of_four_times": round(large_run.rss_kib_max / 1024),
    }


def build_peer() -> Path:
    """Build the peer with its lock file; the product's target folder is not touched."""
    folder = BENCH / "peers"
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--package", "peer-vrl"]
    done = subprocess.run(
        [*command, "--target-dir", str(folder / "target")], cwd=folder, check=False
    )
    if done.returncode != 0:
        raise Failed("the peer does not build")
    return folder / "target" / "release" / "peer-vrl"


def tell(row: dict[str, object], *, as_json: bool) -> None:
    """One row, for people or for programs."""
    text = (
        json.dumps(row) if as_json else "  ".join(f"{name} {value}" for name, value in row.items())
    )
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
