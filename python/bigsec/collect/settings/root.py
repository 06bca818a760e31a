"""The whole configuration."""

from __future__ import annotations

import json
from typing import Annotated, Final

from pydantic import Field

from bigsec.collect.settings.base import FilePath, Section
from bigsec.collect.settings.limits import Limits
from bigsec.collect.settings.sections import Admin, Indicators, Log, Packs, Rules, Store, Watch
from bigsec.collect.settings.sinks import Sink
from bigsec.collect.settings.sources import Source

__all__ = ["Settings", "core_document"]

# Also the name of a source in file names, metrics and event columns.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
_OF_THE_CORE: Final = frozenset({"name", "data_dir", "log", "limits", "sources", "admin"})


class Settings(Section):
    """The configuration of the daemon, `bigsec.toml`."""

    name: Annotated[str, Field(pattern=r"^[^\s+/][^\n+]{0,126}$")] = "bigsec"
    """Name of this relay's log. It stands in every checkpoint and never changes."""
    data_dir: FilePath = "/var/lib/bigsec"
    """Folder of the log (`log`) and the store (`store`)."""
    log: Log = Log()
    """The evidence log."""
    store: Store = Store()
    """Signals and incidents."""
    limits: Limits = Limits()
    """How much of anything is held at a time."""
    sources: dict[Name, Source] = Field(default_factory=dict)
    """Where records come from."""
    sinks: dict[Name, Sink] = Field(default_factory=dict)
    """Where events go besides the store."""
    rules: Rules = Rules()
    """Sigma rules."""
    indicators: Indicators = Indicators()
    """What others have seen attackers use."""
    packs: Packs = Packs()
    """Parser packs."""
    admin: Admin = Admin()
    """Where status and metrics are read."""
    watch: Watch = Watch()
    """When the platform raises an event about itself."""


def core_document(settings: Settings) -> str:
    """What the core gets: its own sections, every value written out, as JSON."""
    return json.dumps(settings.model_dump(mode="json", include=set(_OF_THE_CORE)))
