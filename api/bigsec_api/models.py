"""The shapes of answers, for the OpenAPI document. `to_dict` of the services makes them.

No shape allows a field that is not here, so that a test sees what the document does not say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bigsec.detect import Level
from bigsec.detect.model import Confidence
from bigsec.detect.reasons import Reason
from bigsec.detect.signal import Result, Role

__all__ = [
    "EventList",
    "EventWhole",
    "Health",
    "IncidentList",
    "IncidentWhole",
    "Problem",
    "RuleList",
    "RuleWhole",
]


class Shape(BaseModel):
    """Base of all shapes."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
    """Every error (RFC 9457). `code` has a page in the documentation; `mend` says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    name: str
    request_id: str
    mend: str | None = None


class Title(Shape):
    """What happened, in both languages."""

    en: str
    zh: str


class Answer(Shape):
    """One of the four answers: values, the most frequent first, or the reason why there are none.

    `total` counts all values; at most 20 are listed.
    """

    values: list[str]
    total: int
    reason: Reason | None = None
    why: str | None = None


class Incident(Shape):
    """An incident as lists have it."""

    incident_id: str = Field(pattern="^[0-9a-f]{32}$")
    number: str
    title: Title
    level: Level
    severity_id: int
    result: Result
    confidence: Confidence
    first: datetime
    last: datetime
    source: Answer
    method: Answer
    target: Answer
    weakness: Answer
    attack_tactics: list[str]
    rules: int
    signal_count: int
    event_count: int


class IncidentList(Shape):
    """One page. `next` goes into `after`; `total` is counted up to 10,000.

    `silenced`: how many more fit, of which all signals are silenced.
    """

    incidents: list[Incident]
    next: str | None
    total: int
    total_exact: bool
    silenced: int


class Entity(Shape):
    """A thing that signals speak of, and the part it plays."""

    type: str
    value: str
    role: Role


class Signal(Shape):
    """One hit of a rule, with the rule's author and licence."""

    signal_id: str
    rule_id: str
    rule_title: str
    level: Level
    severity_id: int
    time: datetime
    source: str
    parser: str
    event_ids: list[str]
    entities: list[Entity]
    attack_techniques: list[str]
    attack_tactics: list[str]
    cves: list[str]
    result: Result
    rule_author: str | None
    rule_license: str | None
    rule_path: str | None
    detector: str
    detector_version: str


class Event(Shape):
    """An event that a signal speaks of. `raw` is the record's text, unchanged; `ocsf` the event."""

    event_id: str
    time: datetime | None
    time_effective: datetime
    source: str
    parser: str
    raw: str | None
    ocsf: dict[str, Any]


class TimelineEntry(Shape):
    """Signals of one rule in one place that follow each other."""

    first: datetime
    last: datetime
    rule_id: str
    rule_title: str
    level: Level
    result: Result
    where: str
    count: int
    event_ids: list[str]


class FindingCheck(Shape):
    """What a scanner said of one weakness of a machine at one time."""

    asset: str
    state: Literal["present", "absent", "patched"]
    checked: datetime
    cve: str | None
    cwe: str | None
    port: int | None
    product: str | None
    version: str | None
    tool: str | None


class Exploitability(Shape):
    """Whether the attack could work on its target, as of its time, and why."""

    verdict: Literal["confirmed", "plausible", "unknown", "not_applicable"]
    why: str
    checks: list[FindingCheck]


class ScorePart(Shape):
    """One reason, and what it adds."""

    name: str
    points: int


class Score(Shape):
    """How urgent an incident is, 0 to 100; the parts add up to it."""

    total: int
    parts: list[ScorePart]


class GbCategory(Shape):
    """A category of GB/T 20986."""

    number: int
    code: str
    zh: str
    en: str


class GbClass(Shape):
    """A class within a category."""

    zh: str
    en: str


class Classification(Shape):
    """The class of an incident. `verified`: whether the table was compared with the standard."""

    standard: str
    effective: str
    verified: bool
    category: GbCategory
    class_: GbClass = Field(alias="class")
    by: str | None


class Warned(Shape):
    """A proposal of level and colour of a warning, from the urgency."""

    level: Literal["I", "II", "III", "IV"]
    level_zh: str
    colour: str
    colour_zh: str
    verified: bool


class Link(Shape):
    """One thing that ties the signals of an incident together, and its rarity in bits."""

    by: Literal["source", "target", "shared", "record", "rule"]
    type: str
    value: str
    signals: int
    bits: float | None


class Silence(Shape):
    """Whose wish it is that signals are silent, why, for how long, and how many it fits here."""

    silence_id: str
    owner: str
    reason: str
    starts: datetime
    ends: datetime
    rule_id: str | None
    entity: str | None
    source: str | None
    signals: int


class IncidentWhole(Incident):
    """An incident with what it rests on."""

    founding_signal_id: str
    exploitability: Exploitability
    score: Score
    gb20986: Classification
    warning: Warned
    stage: str | None
    links: list[Link]
    silenced_signals: int
    silences: list[Silence]
    entities: list[Entity]
    signals: list[Signal]
    evidence: list[Event]
    timeline: list[TimelineEntry]
    merged: list[str]


class EventList(Shape):
    """One page of events, latest first. `next` goes into `after`."""

    events: list[Event]
    next: str | None
    total: int
    total_exact: bool


class FoundEvents(BaseModel):
    """Events of the lake, latest first, each with the columns that it has."""

    events: list[dict[str, Any]]


class Bucket(Shape):
    """Events of a stretch of time that begins at `start`."""

    start: datetime
    count: int


class Histogram(Shape):
    """How many events over time; stretches without any are left out."""

    seconds: int
    buckets: list[Bucket]


class CountedValue(BaseModel):
    """A value and how many events have it; null for those that have none."""

    value: str | int | bool | None
    count: int


class TopValues(Shape):
    """The most frequent values of a column."""

    column: str
    values: list[CountedValue]


class EventSignal(Shape):
    """A signal that speaks of an event, and the number of its incident."""

    signal_id: str
    rule_id: str
    rule_title: str
    level: Level
    incident: str | None


class EventWhole(Event):
    """An event with the signals that speak of it."""

    signals: list[EventSignal]


class RuleCount(Shape):
    """How often a rule fired, as the store has it."""

    signals: int
    incidents: int
    first: datetime | None
    last: datetime | None


class RuleWhole(Shape):
    """A loaded rule."""

    id: str
    title: str
    level: Level
    status: str
    author: str
    license: str
    description: str
    path: str
    tags: list[str]
    references: list[str]
    falsepositives: list[str]
    logsource: dict[str, str]
    fired: RuleCount


class RuleList(Shape):
    """One page of rules in the order of their ids. `problems` counts faults of rule files."""

    rules: list[RuleWhole]
    next: str | None
    total: int
    version: str
    problems: int


class StoreNumbers(Shape):
    """The store in numbers."""

    incidents: int
    signals: int
    events: int
    first: datetime | None
    last: datetime | None
    levels: dict[str, int]


class Health(Shape):
    """The version, and the store in numbers."""

    status: Literal["ok"]
    version: str
    store: StoreNumbers
