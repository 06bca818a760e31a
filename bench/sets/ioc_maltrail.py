"""Indicators of a public feed, each in an event of its own, beside events that nearly have it.

An indicator is right where the event with it gives a signal: a domain also with a name below it, an
address with a port only with that port, a network with an address in it. A near miss is right where
it gives none: a longer name or path, the next address, another port. Near misses that another
indicator covers are left out.
"""

from __future__ import annotations

import ipaddress
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import bigsec
from corpus import lines, named
from scorer import share
from sets import Case, Inputs, Line, Void

PATTERNS = "other"
SHOWN = 10
Fields = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Trial:
    """One event: of which kind of indicator, what it tries, and whether a signal is due."""

    what: str
    event: Fields
    due: bool


def score(inputs: Inputs) -> Iterator[Case]:
    """One case: what is found of each kind, and which near misses stay silent."""
    table = named(inputs.data, "iocs.tsv")
    with tempfile.TemporaryDirectory(prefix="bigsec-score-") as folder:
        path = Path(folder) / "iocs.tsv"
        path.write_bytes(b"".join(line + b"\n" for line in lines(table)))
        known = bigsec.Indicators.load(path)
    given = list(_given(table))
    trials = list(_trials(given))
    hit = _hit(trials, bigsec.Rules.load().with_indicators(known))
    if not hit:
        raise Void(f"none of {len(given)} indicators was found")
    got: Counter[tuple[bool, str]] = Counter()
    of: Counter[tuple[bool, str]] = Counter()
    wrong: list[Line] = []
    for number, trial in enumerate(trials):
        right = (number in hit) == trial.due
        of[trial.due, trial.what] += 1
        got[trial.due, trial.what] += right
        if not right and len(wrong) < SHOWN:
            told = f"wrong: {trial.what}: {json.dumps(trial.event)}"
            wrong.append(Line(told, {"what": told, "got": 1}))
    total = [share("found", *_sum(got, of, True)), share("silent", *_sum(got, of, False))]
    parts = [
        share(f"{'found' if due else 'silent'}: {what}", got[due, what], count)
        for (due, what), count in sorted(of.items(), key=lambda pair: (not pair[0][0], pair[0][1]))
    ]
    yield Case("events", (*total, *parts, *wrong))


def _sum(
    got: Counter[tuple[bool, str]], of: Counter[tuple[bool, str]], due: bool
) -> tuple[int, int]:
    right, count = (sum(n for key, n in one.items() if key[0] == due) for one in (got, of))
    return right, count


def _hit(trials: list[Trial], rules: bigsec.Rules) -> set[int]:
    """The numbers of the events that gave a signal of an indicator."""
    events = ({"n": number, **trial.event} for number, trial in enumerate(trials))
    hit: set[int] = set()
    for chunk in bigsec.scan(events, rules):
        numbers = {
            one["event_id"]: json.loads(one["raw_data"])["n"] for one in chunk.events.to_pylist()
        }
        for signal in chunk.signals.to_pylist():
            if signal["detector"] == "indicators":
                hit.update(numbers[one] for one in signal["event_ids"])
    return hit


def _with_those_above(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition(".")[2]


def _given(table: Path) -> Iterator[tuple[str, str]]:
    for line in lines(table):
        value, kind, *_ = line.decode().split("\t")
        if kind not in {"type", PATTERNS}:
            yield value, kind


def _trials(given: list[tuple[str, str]]) -> Iterator[Trial]:
    values = {value.lower() for value, _ in given}
    networks = [
        ipaddress.ip_network(value, strict=False) for value, kind in given if kind == "cidr"
    ]
    addresses = {value for value, kind in given if kind == "ip"}
    sockets = {value for value, kind in given if kind == "ip:port"}

    def is_clean(address: str) -> bool:
        return address not in addresses and not any(
            ipaddress.ip_address(address) in network for network in networks
        )

    for value, kind in given:
        match kind:
            case "domain":
                yield Trial("domain", {"query": value}, True)
                yield Trial("domain below", {"query": f"www.a.{value}"}, True)
                longer = f"not{value}".lower()
                if not any(above in values for above in _with_those_above(longer)):
                    yield Trial("domain in a longer word", {"query": longer}, False)
            case "ip" | "cidr":
                network = ipaddress.ip_network(value, strict=False)
                yield Trial(kind, {"dest_ip": str(network[network.num_addresses // 2])}, True)
                outside = str(network[-1] + 1)
                if is_clean(outside):
                    yield Trial(f"next to {kind}", {"dest_ip": outside}, False)
            case "ip:port":
                address, port = value.rsplit(":", 1)
                yield Trial(kind, {"dest_ip": address, "dest_port": int(port)}, True)
                other = int(port) % 65_000 + 1
                if f"{address}:{other}" not in sockets and is_clean(address):
                    event: Fields = {"dest_ip": address, "dest_port": other}
                    yield Trial("ip with another port", event, False)
                    yield Trial("ip without a port", {"dest_ip": address}, False)
            case "url" if value.startswith("/"):
                yield Trial("path", {"url": f"http://other.example{value}"}, True)
                if "?" not in value and f"{value}x".lower() not in values:
                    longer = f"http://other.example{value}x"
                    yield Trial("longer path", {"url": longer}, False)
            case "url":
                yield Trial("url", {"url": value}, True)
