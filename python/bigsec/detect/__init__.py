"""Mission module 3: signals become incidents that say who, how, what and by which weakness."""

from bigsec.detect.assess.exploitability import Attack, Check, Exploitability, judge
from bigsec.detect.assess.findings import add_checks, set_assets
from bigsec.detect.events import (
    EventDetail,
    EventFilter,
    EventPage,
    EventSignal,
    get_event,
    list_events,
)
from bigsec.detect.level_counts import level_counts
from bigsec.detect.levels import LEVELS, Level, level_of, severity_of
from bigsec.detect.model import (
    Answer,
    Incident,
    IncidentDetail,
    IncidentFilter,
    IncidentPage,
    Recorded,
    Summary,
    TimelineEntry,
)
from bigsec.detect.rule_counts import RuleCount, rule_counts
from bigsec.detect.service import (
    add,
    add_to,
    correlate,
    get_incident,
    list_incidents,
    record,
    summary,
)
from bigsec.detect.settings import Grouping
from bigsec.detect.signal import Entity, Evidence, Signal
from bigsec.detect.silencing import (
    Hidden,
    Silence,
    add_silence,
    end_silence,
    list_silences,
    preview,
)

__all__ = [
    "LEVELS",
    "Answer",
    "Attack",
    "Check",
    "Entity",
    "EventDetail",
    "EventFilter",
    "EventPage",
    "EventSignal",
    "Evidence",
    "Exploitability",
    "Grouping",
    "Hidden",
    "Incident",
    "IncidentDetail",
    "IncidentFilter",
    "IncidentPage",
    "Level",
    "Recorded",
    "RuleCount",
    "Signal",
    "Silence",
    "Summary",
    "TimelineEntry",
    "add",
    "add_checks",
    "add_silence",
    "add_to",
    "correlate",
    "end_silence",
    "get_event",
    "get_incident",
    "judge",
    "level_counts",
    "level_of",
    "list_events",
    "list_incidents",
    "list_silences",
    "preview",
    "record",
    "rule_counts",
    "set_assets",
    "severity_of",
    "summary",
]
