"""Which signals belong together: connected components over shared keys and time.

Pure: the answer depends on the set of facts alone, never on their order, and facts further apart
than the gap never touch each other, so a stretch of time can be grouped by itself.

1. Signals that share a key and follow each other within the gap are a *session* of that key.
2. A session in which too many sources act on its key is a *hub* (a public web server): being its
   target says nothing, so the key does not link. A session in which its key acts in too many
   places is a *sweep* (a scanner): its signals are linked by their source alone, or the scanner
   would pull together whatever else happens on the machines it touches. A session that never ends
   is *noise* (a machine with an alert every minute): its key does not link at all.
3. What is linked is a group. Two rules on one event always are.
4. Groups of one rule in one place are folded where they follow each other within the gap: five
   thousand addresses that trip the same rule on the same hub are one matter to look at, while an
   address that did something else as well keeps its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bigsec.detect.facts import Fact
from bigsec.detect.settings import Grouping

__all__ = ["group"]


@dataclass(frozen=True, slots=True)
class _Session:
    """Facts of one key in a row. acting: those it is the source of; touching: the others."""

    acting: list[int]
    touching: list[int]
    hub: bool
    sweep: bool
    noise: bool


def group(facts: Sequence[Fact], settings: Grouping) -> list[list[Fact]]:
    """The groups, each in order of time and id, in the order of their first signals."""
    ordered = sorted(facts, key=_order)
    gap_us = settings.gap_s * 1_000_000
    sets = _Sets(len(ordered))
    sessions = list(_sessions(ordered, gap_us, settings))
    swept = {index for session in sessions if session.sweep for index in session.acting}
    for session in sessions:
        if session.noise:
            continue
        sets.unite(session.acting)
        if session.hub:
            continue
        touching = [index for index in session.touching if index not in swept]
        sets.unite(touching if session.sweep else session.acting[:1] + touching)
    for key_facts in _by_event(ordered).values():
        for stretch in _stretches(ordered, key_facts, gap_us):
            sets.unite(stretch)
    for alike in _foldable(ordered, sets.members(), gap_us):
        sets.unite(alike)
    return [[ordered[index] for index in members] for members in sets.members()]


def _order(fact: Fact) -> tuple[int, str]:
    return fact.time_us, fact.signal_id


def _sessions(facts: Sequence[Fact], gap_us: int, settings: Grouping) -> Iterator[_Session]:
    acting: dict[str, set[int]] = defaultdict(set)
    touching: dict[str, set[int]] = defaultdict(set)
    for index, fact in enumerate(facts):
        for key in fact.sources:
            acting[key].add(index)
        for key in fact.targets + fact.shared:
            touching[key].add(index)
    for key in acting.keys() | touching.keys():
        does, meets = acting.get(key, set()), touching.get(key, set())
        for stretch in _stretches(facts, sorted(does | meets), gap_us):
            own = [index for index in stretch if index in does]
            others = [index for index in stretch if index in meets and index not in does]
            lasts_us = facts[stretch[-1]].time_us - facts[stretch[0]].time_us
            sources = {source for one in others for source in facts[one].sources}
            places = {facts[one].place for one in own}
            yield _Session(
                own,
                others,
                hub=len(sources) > settings.sources_max,
                sweep=len(places) > settings.targets_max,
                noise=lasts_us > settings.busy_s * 1_000_000,
            )


def _by_event(facts: Sequence[Fact]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for index, fact in enumerate(facts):
        for event in fact.events:
            found[event].append(index)
    return found


def _stretches(facts: Sequence[Fact], indexes: list[int], gap_us: int) -> Iterator[list[int]]:
    """The indexes, which are in order of time, cut where the gap is exceeded."""
    stretch = indexes[:1]
    for before, index in pairwise(indexes):
        if facts[index].time_us - facts[before].time_us > gap_us:
            yield stretch
            stretch = []
        stretch.append(index)
    if stretch:
        yield stretch


def _foldable(facts: Sequence[Fact], groups: list[list[int]], gap_us: int) -> Iterator[list[int]]:
    """One member of each of the groups that fold into one."""
    alike: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
    for members in groups:
        kinds = {(facts[index].rule_id, facts[index].place) for index in members}
        if len(kinds) == 1:
            alike[kinds.pop()].append(members)
    for candidates in alike.values():
        row: list[int] = []
        ends_us = facts[candidates[0][0]].time_us
        for members in candidates:
            if facts[members[0]].time_us - ends_us > gap_us:
                yield row
                row = []
            ends_us = max(ends_us, facts[members[-1]].time_us)
            row.append(members[0])
        yield row


class _Sets:
    """Disjoint sets of the numbers below `size` (union by the smaller number, path halving)."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def unite(self, members: Sequence[int]) -> None:
        """Put the sets of all members together."""
        for member in members[1:]:
            first, second = self._root(members[0]), self._root(member)
            if first != second:
                self._parent[max(first, second)] = min(first, second)

    def members(self) -> list[list[int]]:
        """The sets, each in order, in the order of their first members."""
        found: dict[int, list[int]] = defaultdict(list)
        for index in range(len(self._parent)):
            found[self._root(index)].append(index)
        return list(found.values())

    def _root(self, index: int) -> int:
        parent = self._parent
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index
