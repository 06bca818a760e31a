"""The configuration as typed values: its sections, their defaults and their bounds.

Reading it from files is the business of `bigsec.collect.loading`.
"""

from bigsec.collect.settings.base import Section
from bigsec.collect.settings.limits import Limits
from bigsec.collect.settings.root import Settings, core_document
from bigsec.collect.settings.sections import (
    RETENTION_DAYS_FLOOR,
    Admin,
    Indicators,
    Log,
    Packs,
    Rules,
    Store,
    Watch,
)
from bigsec.collect.settings.sinks import FileSink, HttpSink, LakeSink, Sink
from bigsec.collect.settings.sources import (
    FileSource,
    HttpSource,
    RelpSource,
    Source,
    StdinSource,
    SyslogTcpSource,
    SyslogUdpSource,
    Tls,
)

__all__ = [
    "RETENTION_DAYS_FLOOR",
    "Admin",
    "FileSink",
    "FileSource",
    "HttpSink",
    "HttpSource",
    "Indicators",
    "LakeSink",
    "Limits",
    "Log",
    "Packs",
    "RelpSource",
    "Rules",
    "Section",
    "Settings",
    "Sink",
    "Source",
    "StdinSource",
    "Store",
    "SyslogTcpSource",
    "SyslogUdpSource",
    "Tls",
    "Watch",
    "core_document",
]
