"""Our side of `scan.py`: one scan in a process of its own, which reports what it cost.

    python bench/scan_ours.py RULES EVENTS

Prints one JSON object with the keys that the peers print too.
"""

from __future__ import annotations

import json
import resource
import sys

import bigsec


def main(rules_folder: str, events_file: str) -> None:
    """Load, scan, report."""
    rules = bigsec.Rules.load(rules_folder)
    load_cpu_s = cpu_s()
    matches = with_fields = 0
    scanner = bigsec.scan(events_file, rules)
    for chunk in scanner:
        matches += len(chunk.signals)
        events = chunk.events.to_pylist()
        with_fields += sum("event_code" in event.get("metadata", {}) for event in events)
    (ledger,) = scanner.ledgers
    used = resource.getrusage(resource.RUSAGE_SELF)
    report = {
        "variant": "bigsec",
        "rules": len(rules),
        "rules_refused": len(rules.problems),
        "events": ledger.parsed,
        "bad_lines": ledger.unparsed + ledger.quarantined,
        "matches": matches,
        "with_fields": with_fields,
        "load_cpu_s": load_cpu_s,
        "rss_kib_max": used.ru_maxrss,
    }
    print(json.dumps(report))


def cpu_s() -> float:
    """User + system seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
