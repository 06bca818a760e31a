"""Why the signals of an incident are together: what they share, and how much that says.

A link is worth its rarity in bits: the logarithm of how many times more incidents there are than
such that hold the same. What is in half of all incidents says one bit, what is in one of a
thousand ten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any, Final, Literal

from sqlalchemy import Connection, func, select

from bigsec.detect.assess.meanings import LINK_TEXTS
from bigsec.detect.facts import Fact, fact_of
from bigsec.detect.settings import Grouping
from bigsec.detect.signal import Signal
from bigsec.store.model import IncidentEntityRow, IncidentRow

__all__ = ["Link", "links_of"]

LINKS_MAX: Final = 20

_DEFAULT: Final = Grouping()

By = Literal["source", "target", "shared", "record", "rule"]


@dataclass(frozen=True, slots=True)
class Link:
    """One thing that ties signals together.

    by: `source` acts in all of them, `target` is acted on, `shared` is a hash or a name in them,
    `record` means that several rules hit one record, `rule` that they are of one rule in one place.
    value: what it is; for `record` the number of records. bits: its rarity; None where that is not
    what ties them.
    """

    by: By
    type: str
    value: str
    signals: int
    bits: float | None

    def text(self, language: str = "en") -> str:
        """`the same source 203.0.113.9: 12 signals, 6.2 bits` for people."""
        by = LINK_TEXTS[self.by][language]
        bits = "" if self.bits is None else f", {self.bits:.1f} bits"
        if language == "zh":
            bits = "" if self.bits is None else f"，{self.bits:.1f} 比特"
            return f"{by} {self.value}：{self.signals:,} 条命中{bits}"
        return f"{by} {self.value}: {self.signals:,} signals{bits}"

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "by": self.by,
            "type": self.type,
            "value": self.value,
            "signals": self.signals,
            "bits": self.bits,
        }


def links_of(
    connection: Connection, signals: Sequence[Signal], settings: Grouping = _DEFAULT
) -> tuple[Link, ...]:
    """The links among these signals, those that say most first."""
    facts = [
        fact_of(one.signal_id, 0, one.rule_id, one.source, one.entities, one.event_ids)
        for one in signals
    ]
    holders: dict[tuple[By, str], set[str]] = defaultdict(set)
    sources = {key for fact in facts for key in fact.sources}
    targets = {key for fact in facts for key in fact.targets}
    hubs = _hubs(facts, settings)
    for fact in facts:
        for key in {*fact.sources, *fact.targets, *fact.shared} - hubs:
            by: By = "source" if key in sources else "target" if key in targets else "shared"
            holders[by, key].add(fact.signal_id)
    rarity = _rarity(connection, {key for _, key in holders})
    links = [
        Link(by, *_split(key), len(own), rarity.get(key))
        for (by, key), own in holders.items()
        if len(own) > 1
    ]
    links += _records(facts)
    links += _folded(facts, links)
    links.sort(key=lambda link: (-(link.bits or 0.0) * link.signals, link.by, link.value))
    return tuple(links[:LINKS_MAX])


def _split(key: str) -> tuple[str, str]:
    """Kind and value of a key."""
    kind, _, value = key.partition(":")
    return kind, value


def _hubs(facts: Iterable[Fact], settings: Grouping) -> set[str]:
    """What too many sources act on: being its target ties nothing."""
    acting: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        for key in fact.targets + fact.shared:
            acting[key].update(fact.sources)
    return {key for key, own in acting.items() if len(own) > settings.sources_max}


def _records(facts: Iterable[Fact]) -> list[Link]:
    """Records that more than one rule hit."""
    hit: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        for event in fact.events:
            hit[event].add(fact.signal_id)
    several = [own for own in hit.values() if len(own) > 1]
    if not several:
        return []
    signals = set().union(*several)
    return [Link("record", "record", str(len(several)), len(signals), None)]


def _folded(facts: Iterable[Fact], links: Sequence[Link]) -> list[Link]:
    """One rule in one place, where nothing else ties its signals."""
    if links:
        return []
    alike: dict[tuple[str, str], int] = defaultdict(int)
    for fact in facts:
        alike[fact.rule_id, fact.place] += 1
    return [
        Link("rule", *_split(place), count, None)
        for (_, place), count in alike.items()
        if count > 1
    ]


def _rarity(connection: Connection, keys: set[str]) -> dict[str, float]:
    """Bits of each key: of users by their names alone, as incidents hold them."""
    total = connection.scalar(select(func.count()).select_from(IncidentRow)) or 1
    values = {key: key.split(":", 1)[1].split("@", 1)[0] for key in keys}
    counts: dict[str, int] = {}
    query = (
        select(IncidentEntityRow.value, func.count(IncidentEntityRow.incident_id.distinct()))
        .where(IncidentEntityRow.value.in_(sorted(set(values.values()))))
        .group_by(IncidentEntityRow.value)
    )
    counts.update((value, count) for value, count in connection.execute(query))
    return {
        key: round(log2((total + 1) / counts[value]), 2)
        for key, value in values.items()
        if value in counts
    }
