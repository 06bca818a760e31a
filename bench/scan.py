"""How many events a CPU second does a scan with all SigmaHQ rules take, beside rsigma?

    python bench/scan.py [--events N] [--rounds N] [--json]

The corpus is the five `flat.ndjson` of windows-events, without the labels; twice (the peers'
published rows), and once (repeated values flatter caches). Both sides run single-threaded on one
core, in turn, each in a process of its own; the figure is the median of the rounds. CPU seconds are
user + system of the whole process but for loading the rules, which is told apart. A side whose
fields or matches did not come out makes the script fail. Build with `make build` first.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus import SHARED, lines, named, unpack_rules, without

BENCH = Path(__file__).resolve().parent
FOLDERS = ("mdecrevoisier", "otrf", "sbousseaden", "sigmahq-regression", "yamato-deepblue")
PEER_VERSION = "rsigma 0.23.0"
# Its variants, from what it does by itself to what it can do at best; see peers/rsigma/src/main.rs.
VARIANTS = ("default", "routed", "routed-bloom", "tagged-bloom")
OURS = "bigsec"


class Failed(Exception):
    """A side did not do the work, so that its speed says nothing."""


@dataclass(frozen=True)
class Run:
    """What one process found, and what it cost."""

    events: int
    matches: int
    load_cpu_s: float
    run_cpu_s: float
    rss_kib_max: int

    @property
    def rate(self) -> float:
        """Events a CPU second."""
        return self.events / self.run_cpu_s


def main(arguments: list[str]) -> int:
    """Print the table, or the rows as JSON."""
    return told("scan.py", __doc__ or "", arguments, measure)


def told(
    prog: str,
    about: str,
    arguments: list[str],
    work: Callable[[Path, argparse.Namespace], None],
) -> int:
    """Do the work in a folder of its own; 1 where a side did not do its part."""
    made = argparse.ArgumentParser(prog=prog, description=about.split("\n", 1)[0])
    made.add_argument("--events", type=int, help="an even sample of so many distinct events")
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="bigsec-bench-") as name:
            work(Path(name), options)
    except Failed as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    return 0


def corpora(folder: Path, events: int | None) -> tuple[Path, Path, Path]:
    """The rules, the events once, and the events twice."""
    rules = unpack_rules(SHARED / "sigma-rules" / "rules.tar.zst", folder / "rules")
    once = write_corpus(folder / "distinct.ndjson", events)
    twice = folder / "twice.ndjson"
    with twice.open("wb") as target:
        for _ in range(2):
            with once.open("rb") as source:
                shutil.copyfileobj(source, target)
    return rules, once, twice


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Every case on every side; rows go out as soon as they stand."""
    peer = build_peer()
    rules, once, twice = corpora(folder, options.events)
    pin_to_one_core()
    table = Table(as_json=options.json)
    for case, corpus in (("windows-twice", twice), ("windows-distinct", once)):
        expected = sum(1 for _ in lines(corpus))
        commands: dict[str, list[str]] = {
            OURS: [sys.executable, str(BENCH / "scan_ours.py"), str(rules), str(corpus)],
        }
        commands |= {name: [str(peer), name, str(rules), str(corpus)] for name in VARIANTS}
        runs = in_turn(commands, expected, options.rounds)
        for name in VARIANTS:
            table.row(case, f"{PEER_VERSION} {name}", runs[OURS], runs[name])
        table.notes(case, runs)


def in_turn(commands: dict[str, list[str]], expected: int, rounds: int) -> dict[str, list[Run]]:
    """Run every side once a round, so that a busy moment of the machine hits all of them."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(name, command, expected))
    return runs


def run(name: str, command: Sequence[str], expected: int) -> Run:
    """One process; refuses a report that shows that the work was not done."""
    before = children_cpu_s()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    cpu_s = children_cpu_s() - before
    if done.returncode != 0:
        raise Failed(f"{name} ended with {done.returncode}")
    report = json.loads(done.stdout)
    if report["events"] != expected or report["bad_lines"]:
        raise Failed(f"{name} read {report['events']} of {expected} events: {report}")
    if not report["matches"] or not report.get("with_fields", 1):
        raise Failed(f"{name} found nothing, or its fields did not come out: {report}")
    return Run(
        events=report["events"],
        matches=report["matches"],
        load_cpu_s=report["load_cpu_s"],
        run_cpu_s=cpu_s - report["load_cpu_s"],
        rss_kib_max=report["rss_kib_max"],
    )


def children_cpu_s() -> float:
    """User + system seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Table:
    """Prints rows of rates and their ratio, for people or for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        if not as_json:
            print(f"{'case':18}{'peer':28}{'ours':>10}{'theirs':>10}{'ratio':>8}   events/CPU s")

    def row(self, case: str, peer: str, ours: list[Run], theirs: list[Run]) -> None:
        """One comparison."""
        own, other = (statistics.median(one.rate for one in runs) for runs in (ours, theirs))
        row = {
            "case": case,
            "peer": peer,
            "ours": round(own),
            "theirs": round(other),
            "ratio": round(own / other, 3),
        }
        if self.as_json:
            print(json.dumps(row), flush=True)
        else:
            print(f"{case:18}{peer:28}{row['ours']:10,}{row['theirs']:10,}{row['ratio']:8.2f}")

    def notes(self, case: str, runs: dict[str, list[Run]]) -> None:
        """What else was measured; for people alone."""
        if self.as_json:
            return
        for name, done in runs.items():
            load = statistics.median(one.load_cpu_s for one in done)
            rss = max(one.rss_kib_max for one in done) // 1024
            print(
                f"  {case} {name}: {done[0].events:,} events, {done[0].matches:,} matches, "
                f"rules loaded in {load:.2f} CPU s, {rss} MiB at most",
                flush=True,
            )


def write_corpus(path: Path, limit: int | None) -> Path:
    """The events without labels; with a limit, every n-th of them, so that the mix stays."""
    total = sum(1 for _ in events())
    wanted = min(limit or total, total)
    with path.open("wb") as file:
        for number, line in enumerate(events()):
            if (number + 1) * wanted // total > number * wanted // total:
                file.write(without(line, "_file", "_id") + b"\n")
    return path


def events() -> Iterator[bytes]:
    """All events, in the order of the folders' names."""
    for folder in FOLDERS:
        yield from lines(named(SHARED / "windows-events" / folder, "flat.ndjson"))


def build_peer() -> Path:
    """Build the peer with its own lock file."""
    folder = BENCH / "peers"
    target = folder / "target"
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--package", "peer-rsigma"]
    done = subprocess.run([*command, "--target-dir", str(target)], cwd=folder, check=False)
    if done.returncode != 0:
        raise Failed("the peer could not be built")
    return target / "release" / "peer-rsigma"


def pin_to_one_core() -> None:
    """Keep this process and its children on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
