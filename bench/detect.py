"""What do all SigmaHQ rules cost over raw Windows events, and ten times as many rules?

    python bench/detect.py [--events N] [--rounds N] [--json]

The engine by itself: lines are read, parsed with the packs and tried on all rules, in one thread on
one core, beside rsigma in its best settings in the same run; `scan.py` measures the whole product.
The corpora are those of `scan.py`. Rates are events per CPU second without loading the rules.

* `parse`: the same work without rules, so how far the rules are from being free.
* `rules x3`, `rules x10`: copies of all rules with other literals beside the rules themselves.
* `indicators`: a million of them beside the rules, from a feed of `feed.py`.
* `threads`: wall time of one thread over that of two.

The script fails where the engine's matches are not those of asking every rule.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus import lines
from feed import write_feed
from scan import PEER_VERSION, Failed, build_peer, corpora, pin_to_one_core, told

ROOT = Path(__file__).resolve().parents[1]
# The peer's best on raw events, and its best where our harness works out the log sources.
VARIANTS = ("routed-bloom", "tagged-bloom")
COPIES = (3, 10)
# Values under these are no literals.
NO_LITERALS = re.compile(r"\|(re|cidr|exists|fieldref|gte?|lte?|expand)\b")
KEY = re.compile(r"\s*(?:- )?[\w.]+(?P<modifiers>(?:\|\w+)*):\s*(?P<value>.*)$")
ELEMENT = re.compile(r"\s*- (?P<value>.*)$")

Report = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Print the rows."""
    return told("detect.py", __doc__ or "", arguments, measure)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Every case; rows go out as soon as they stand."""
    ours, peer = build_ours(), build_peer()
    rules, once, twice = corpora(folder, options.events)
    show = as_json if options.json else as_text
    threads(ours, rules, twice, options.rounds, show)
    pin_to_one_core()
    expected = run([str(ours), str(rules), str(once), "compare"])["matches"]
    for case, corpus, factor in (("twice", twice, 2), ("distinct", once, 1)):
        sides = {
            "bigsec": [str(ours), str(rules), str(corpus), "fast"],
            "bigsec parse": [str(ours), str(rules), str(corpus), "parse"],
        }
        sides |= {
            f"{PEER_VERSION} {variant}": [str(peer), variant, str(rules), str(corpus)]
            for variant in VARIANTS
        }
        reports = in_turn(case, sides, corpus, options.rounds, show)
        if reports["bigsec"]["matches"] != expected * factor:
            raise Failed(f"{case}: {reports['bigsec']['matches']} matches, not {expected * factor}")
    million = write_feed(folder / "feed.csv")
    alone = [str(ours), str(rules), str(once), "fast"]
    beside = {"bigsec": alone, "bigsec, 1 M indicators": [*alone, "1", str(million)]}
    in_turn("indicators", beside, once, options.rounds, show)
    curve = {"bigsec": [str(ours), str(rules), str(once), "fast"]}
    for copies in COPIES:
        more = multiplied(rules, folder / f"rules-{copies}", copies)
        curve[f"bigsec, rules x{copies}"] = [str(ours), str(more), str(once), "fast"]
    in_turn("curve", curve, once, options.rounds, show)


def threads(
    ours: Path, rules: Path, corpus: Path, rounds: int, show: Callable[[Report], None]
) -> None:
    """How much sooner two threads are done than one."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for count, wall in walls.items():
            report = run([str(ours), str(rules), str(corpus), "fast", str(count)])
            wall.append(report["wall_s"])
    one, two = (min(wall) for wall in walls.values())
    show(
        {"case": "threads", "side": "bigsec", "cores": os.cpu_count(), "gain": round(one / two, 2)}
    )


def in_turn(
    case: str,
    sides: dict[str, list[str]],
    corpus: Path,
    rounds: int,
    show: Callable[[Report], None],
) -> dict[str, Report]:
    """Run every side once a round, so that a busy moment of the machine hits all of them."""
    expected = sum(1 for _ in lines(corpus))
    reports: dict[str, list[Report]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, command in sides.items():
            report = run(command)
            if report["events"] != expected or report["bad_lines"]:
                raise Failed(f"{side} read {report['events']} of {expected} events: {report}")
            is_parse = command[-1] == "parse"
            if not report.get("with_fields", 1) or not (report["matches"] or is_parse):
                raise Failed(f"{side} found nothing, or its fields did not come out: {report}")
            reports[side].append(report)
    first = next(iter(reports))
    base = rate(reports[first])
    for side, done in reports.items():
        show(
            {
                "case": case,
                "side": side,
                "rules": done[0]["rules"],
                "events": done[0]["events"],
                "matches": done[0]["matches"],
                "rate": round(rate(done)),
                "bigsec_over_this": round(base / rate(done), 2),
                "load_cpu_s": round(statistics.median(one["load_cpu_s"] for one in done), 2),
                "rss_mib_max": max(one["rss_kib_max"] for one in done) // 1024,
            }
        )
    return {side: done[0] for side, done in reports.items()}


def rate(done: list[Report]) -> float:
    """Events per CPU second, the median of the rounds."""
    return statistics.median(float(one["events"]) / float(one["run_cpu_s"]) for one in done)


def run(command: list[str]) -> Report:
    """One process and what it reports."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}")
    report: Report = json.loads(done.stdout)
    return report


def multiplied(rules: Path, folder: Path, copies: int) -> Path:
    """The rules, and so many less one copies of each with other literals and ids."""
    for path in sorted(rules.rglob("*.yml")):
        text = path.read_text(encoding="utf-8")
        for number in range(copies):
            target = folder / str(number) / path.relative_to(rules)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(altered(text, number) if number else text, encoding="utf-8")
    return folder


def altered(text: str, number: int) -> str:
    """A rule with the longest word of each literal shifted by `number` letters."""
    made: list[str] = []
    inside = literal = False
    for line in text.splitlines():
        if line[:1].strip():
            inside = line.startswith("detection:")
        if line.startswith("id:"):
            line = line[:-3] + f"{number:03x}"
        key = KEY.match(line)
        if key:
            literal = not NO_LITERALS.search(key["modifiers"]) and "condition:" not in line
        value = key or ELEMENT.match(line)
        if inside and literal and value:
            line = line[: value.start("value")] + shifted(value["value"], number)
        made.append(line)
    return "\n".join(made) + "\n"


def shifted(value: str, number: int) -> str:
    """The same text with its longest word shifted; words of three letters and fewer stay."""
    words = list(re.finditer(r"(?<![\\A-Za-z])[A-Za-z]{4,}", value))
    if not words or value in {"null", "true", "false"}:
        return value
    word = max(words, key=lambda found: len(found[0]))
    by_letter = str.maketrans(
        {
            chr(base + at): chr(base + (at + number) % 26)
            for base in (ord("a"), ord("A"))
            for at in range(26)
        }
    )
    return value[: word.start()] + word[0].translate(by_letter) + value[word.end() :]


def build_ours() -> Path:
    """Build the harness, rust/collect/examples/detect_speed.rs."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--package", "bigsec-collect"]
    done = subprocess.run([*command, "--example", "detect_speed"], cwd=ROOT, check=False)
    if done.returncode != 0:
        raise Failed("the harness could not be built")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "detect_speed"


def as_json(row: Report) -> None:
    """A row for programs."""
    print(json.dumps(row), flush=True)


def as_text(row: Report) -> None:
    """A row for people."""
    rest = {key: value for key, value in row.items() if key not in {"case", "side"}}
    values = "  ".join(f"{key} {value:,}" for key, value in rest.items())
    print(f"{row['case']:9} {row['side']:28} {values}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
