"""Mission module 3: signals become incidents that say who, how, what and by which weakness."""

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
from bigsec.detect.service import add, correlate, get_incident, list_incidents, record, summary
from bigsec.detect.settings import Grouping
from bigsec.detect.signal import Entity, Evidence, Signal

__all__ = [
    "LEVELS",
    "Answer",
    "Entity",
    "Evidence",
    "Grouping",
    "Incident",
    "IncidentDetail",
    "IncidentFilter",
    "IncidentPage",
    "Level",
    "Recorded",
    "Signal",
    "Summary",
    "TimelineEntry",
    "add",
    "correlate",
    "get_incident",
    "level_of",
    "list_incidents",
    "record",
    "severity_of",
    "summary",
]
