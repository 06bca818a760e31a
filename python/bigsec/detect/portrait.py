"""What an incident says of itself, from its signals: level, result, the four answers, the title.

Pure, and the same for every order of the signals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from bigsec.detect.levels import Level, level_of
from bigsec.detect.model import Answer, Confidence, Language
from bigsec.detect.reasons import Reason
from bigsec.detect.signal import Result

__all__ = ["Portrait", "Stroke", "combine_results"]

VALUES_MAX: Final = 20
"""Values that an answer holds; a list shows fewer, the entities of the incident are all of them."""

NAME_MAX: Final = 80
"""Characters of one name within a title."""

_RESULTS: Final[tuple[Result, ...]] = ("success", "attempt", "failed", "unknown")
"""Strongest first: what succeeded once has succeeded; what was tried is open until it failed."""


class Stroke(NamedTuple):
    """What one signal adds to the portrait of its incident."""

    time_us: int
    signal_id: str
    severity_id: int
    rule_id: str
    rule_title: str
    result: Result
    techniques: Sequence[str]
    tactics: Sequence[str]
    cves: Sequence[str]


class Tally(NamedTuple):
    """An entity of the incident, and how many signals speak of it."""

    type: str
    value: str
    role: str
    signals: int


@dataclass(slots=True)
class Portrait:
    """Collects signals and entities, then answers."""

    first_us: int = 0
    last_us: int = 0
    signals: int = 0
    events: int = 0
    founder: tuple[int, str] = (0, "")
    _strongest: tuple[int, int, str] = (0, 0, "")
    _title: str = ""
    _results: set[Result] = field(default_factory=set)
    _rules: dict[str, int] = field(default_factory=dict)
    _techniques: Counter[str] = field(default_factory=Counter)
    _tactics: Counter[str] = field(default_factory=Counter)
    _cves: Counter[str] = field(default_factory=Counter)
    _entities: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def add(self, stroke: Stroke) -> None:
        """Take a signal in."""
        rank = (-stroke.severity_id, stroke.time_us, stroke.signal_id)
        identity = (stroke.time_us, stroke.signal_id)
        if not self.signals or rank < self._strongest:
            self._strongest, self._title = rank, stroke.rule_title
        if not self.signals or identity < self.founder:
            self.founder = identity
        self.first_us = self.founder[0]
        self.last_us = max(self.last_us if self.signals else stroke.time_us, stroke.time_us)
        self.signals += 1
        self._results.add(stroke.result)
        known = self._rules.get(stroke.rule_id, 0)
        self._rules[stroke.rule_id] = max(known, stroke.severity_id)
        self._techniques.update(set(stroke.techniques))
        self._tactics.update(set(stroke.tactics))
        self._cves.update(set(stroke.cves))

    def add_entity(self, entity: Tally) -> None:
        """Take in an entity of all signals, counted."""
        counts = self._entities.setdefault((entity.role, entity.type), Counter())
        counts[entity.value] += entity.signals

    @property
    def severity_id(self) -> int:
        """Of the strongest signal."""
        return -self._strongest[0]

    @property
    def level(self) -> Level:
        """Of the strongest signal."""
        return level_of(self.severity_id)

    @property
    def result(self) -> Result:
        """What is known of the outcome."""
        return combine_results(self._results)

    @property
    def rules(self) -> int:
        """Distinct rules."""
        return len(self._rules)

    @property
    def tactics(self) -> list[str]:
        """ATT&CK tactics, the most frequent first."""
        return _ranked(self._tactics)

    @property
    def confidence(self) -> Confidence:
        """How sure it is that this is not noise.

        A first measure, from the signals alone. Over more than one event: three rules, or two of
        which one is high, or a success that is at least medium, are `high`. Rules that agree on one
        event are no more than one witness: they, like one rule that is high, are `medium`.
        """
        rules, severity = len(self._rules), self.severity_id
        agree = rules >= 3 or (rules == 2 and severity >= 4)
        succeeded = self.result == "success" and severity >= 3
        if self.events > 1 and (agree or succeeded):
            return "high"
        return "medium" if rules >= 2 or severity >= 4 or succeeded else "low"

    @property
    def source(self) -> Answer:
        """Who: the addresses that acted, and the accounts."""
        names = self._names("source", "ip") + self._names("source", "user")
        return _answer(names or self._names("source", "host"), "no_actor_in_events")

    @property
    def method(self) -> Answer:
        """How: ATT&CK techniques."""
        return _answer(_ranked(self._techniques), "no_technique_in_rules")

    @property
    def target(self) -> Answer:
        """What: hosts and addresses; where no event names one, sites, then accounts."""
        machines = self._names("target", "host") + self._names("target", "ip")
        names = machines or self._names("target", "domain") or self._names("target", "user")
        return _answer(names, "no_asset_in_events")

    @property
    def weakness(self) -> Answer:
        """By which weakness: CVEs."""
        return _answer(_ranked(self._cves), "no_cve_in_rules")

    def title(self, language: Language) -> str:
        """What the strongest signal says, where, and from whom."""
        what, more = _short(self._title), self.rules - 1
        where, who = _some(self.target, language), _some(self.source, language)
        if language == "zh":
            text = f"{where}：{what}" if where else what
            text += f"（来源 {who}）" if who else ""
            return text + (f"，另有 {more} 条规则命中" if more else "")
        text = what + (f" on {where}" if where else "") + (f" from {who}" if who else "")
        return text + (f", and {more} more rule{'s' if more > 1 else ''}" if more else "")

    def _names(self, role: str, kind: str) -> list[str]:
        counts = self._entities.get((role, kind))
        if counts is None:
            return []
        return _ranked(_one_name_each(counts) if kind == "user" else counts)


def combine_results(results: Iterable[Result]) -> Result:
    """The result of several signals together."""
    found = set(results)
    return next((result for result in _RESULTS if result in found), "unknown")


def _one_name_each(counts: Counter[str]) -> Counter[str]:
    """`alice` and `CORP\\alice` are one account: the longer name stands for both."""
    longest: dict[str, str] = {}
    for name in counts:
        bare = name.casefold().rsplit("\\", 1)[-1]
        longest[bare] = max(longest.get(bare, name), name, key=lambda one: (len(one), one))
    merged: Counter[str] = Counter()
    for name, count in counts.items():
        merged[longest[name.casefold().rsplit("\\", 1)[-1]]] += count
    return merged


def _ranked(counts: Counter[str]) -> list[str]:
    return sorted(counts, key=lambda value: (-counts[value], value))


def _answer(values: Sequence[str], reason: Reason) -> Answer:
    if not values:
        return Answer(reason=reason)
    return Answer(tuple(values[:VALUES_MAX]), len(values))


def _some(answer: Answer, language: Language) -> str:
    if not answer.values:
        return ""
    first, more = _short(answer.values[0]), answer.total - 1
    if not more:
        return first
    return f"{first} 等 {answer.total} 个" if language == "zh" else f"{first} and {more} more"


def _short(text: str) -> str:
    return text if len(text) <= NAME_MAX else text[: NAME_MAX - 1] + "…"
