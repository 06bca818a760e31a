"""How many alerts become incidents in a CPU second, and how much memory that takes?

    python bench/perceive.py [--data DIR] [--hosts N] [--json]

Each scenario of `ait-alerts` is replayed in the order of time; reading the files is not counted. A
second row is alerts of N different hosts, each seen once or twice, which nothing can be learned
from: memory must not follow their number (`Perception.pairs_max`).
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bigsec.detect.perceive import Alert, Perceiver, Perception
from corpus import SHARED
from sets.ait_alerts import alerts

FLOOD_PAIRS = 100_000
DETECTORS = (
    "Suricata: Alert - ET SCAN Possible Nmap User-Agent Observed",
    "Wazuh: Web server 400 error code.",
    "Wazuh: PAM: User login failed.",
)


def main(arguments: list[str]) -> int:
    """Print the table, or a row a line as JSON."""
    made = argparse.ArgumentParser(prog="perceive.py", description=(__doc__ or "").split("\n")[0])
    made.add_argument("--data", type=Path, default=SHARED / "ait-alerts")
    made.add_argument("--hosts", type=int, default=1_000_000)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    flood = [
        Alert(number * 0.2, DETECTORS[number % 3], f"host-{number * 7 % options.hosts}")
        for number in range(options.hosts)
    ]
    bounded = Perception(pairs_max=FLOOD_PAIRS, incidents_max=1_000)
    rows = [measure("hosts", flood, bounded)]
    del flood
    for path in sorted(options.data.glob("*.csv.zst")):
        name = path.name.removesuffix(".csv.zst")
        rows.append(measure(name, sorted(alerts(path)), Perception()))
    for row in rows:
        if options.json:
            print(json.dumps(row))
        else:
            print(
                "  ".join(
                    f"{value:>16,}" if key != "what" else f"{value:16}"
                    for key, value in row.items()
                )
            )
    return 0


def measure(what: str, given: Sequence[Alert], settings: Perception) -> dict[str, str | int]:
    """One replay."""
    perceiver = Perceiver(settings)
    before_kib, begun = _peak_kib(), time.process_time()
    for alert in given:
        perceiver.take(alert)
    took_s = time.process_time() - begun
    raised = sum(one.raised_s is not None for one in perceiver.incidents.values())
    return {
        "what": what,
        "alerts": len(given),
        "alerts_per_cpu_s": round(len(given) / took_s),
        "incidents": len(perceiver.incidents),
        "raised": raised,
        "more_mib": (_peak_kib() - before_kib) >> 10,
    }


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
