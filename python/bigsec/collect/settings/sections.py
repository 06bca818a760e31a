"""The sections that stand once."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from bigsec.collect.settings.base import GIB, KIB, MIB, Address, FilePath, Section

__all__ = [
    "RETENTION_DAYS_FLOOR",
    "Admin",
    "Indicators",
    "Log",
    "Packs",
    "Rules",
    "Store",
    "Watch",
]

RETENTION_DAYS_FLOOR: Final = 183
"""Six months, the least that China's Cybersecurity Law (art. 21) demands of network logs. Only two
signed approvals can undercut it."""


Status = Literal["stable", "test", "experimental", "deprecated", "unsupported"]
STATUSES: Final[tuple[Status, ...]] = ("stable", "test", "experimental")


class Log(Section):
    """The evidence log."""

    segment_bytes: Annotated[int, Field(ge=64 * KIB, le=4 * GIB)] = 256 * MIB
    """Size at which a segment ends."""
    segment_age_s: Annotated[int, Field(ge=1, le=604_800)] = 3_600
    """Age at which a segment ends."""
    group_bytes: Annotated[int, Field(ge=4 * KIB, le=256 * MIB)] = 4 * MIB
    """Bytes that are flushed together at most."""
    group_ms: Annotated[int, Field(ge=0, le=1_000)] = 0
    """How long a record may wait for others to be flushed with. It is acknowledged after."""
    compress: bool = True
    """Compress segments that have ended."""
    retention_days: Annotated[int, Field(ge=1, le=36_500)] = RETENTION_DAYS_FLOOR
    """How long records are kept. Below 183 only as far as two approvals of the log reach."""
    approvers: list[str] = Field(default_factory=list)
    """Public keys of those who may approve an earlier deletion (`bigsec evidence approve`)."""
    reserve_bytes: Annotated[int, Field(ge=0, le=64 * GIB)] = 16 * MIB
    """Space kept back for audit records and checkpoints of a full disk."""
    min_free_bytes: Annotated[int, Field(ge=0, le=1024 * GIB)] = 256 * MIB
    """Free space of the disk below which nothing is taken in any more."""
    key_file: FilePath | None = None
    """Key that signs checkpoints (`bigsec evidence keygen`). Without it, the log is not signed."""
    checkpoint_s: Annotated[int, Field(ge=1, le=60)] = 60
    """How often a checkpoint is signed."""
    keeper: Annotated[str, Field(min_length=1)] | None = None
    """Second keeper of the checkpoints: https://… or a folder on another machine's disk."""
    keeper_token_file: FilePath | None = None
    """File with a token for the keeper (`Authorization: Bearer …`)."""
    keeper_ca_file: FilePath | None = None
    """Authorities of the keeper's certificate, PEM. Without it, those of the system."""


class Store(Section):
    """Signals and incidents."""

    correlate_s: Annotated[int, Field(ge=1, le=3_600)] = 10
    """How often new signals are grouped into incidents."""


class Rules(Section):
    """Sigma rules."""

    enabled: bool = True
    """Without rules, records are kept, parsed and counted, and nothing is found: for a relay."""
    paths: list[FilePath] = Field(default_factory=list)
    """Files and folders. Empty: the rules that come with bigsec."""
    statuses: list[Status] = Field(default_factory=lambda: list(STATUSES))
    """Take only rules of these statuses."""
    min_level: Literal["informational", "low", "medium", "high", "critical"] = "informational"
    """Leave out rules below this level."""


class Indicators(Section):
    """What others have seen attackers use: addresses, domains, hashes."""

    paths: list[FilePath] = Field(default_factory=list)
    """Lists with one a line, and tables (CSV, TSV). Looked for where rules are."""
    level: Literal["informational", "low", "medium", "high", "critical"] = "medium"
    """How bad a hit is where its file does not say."""


class Packs(Section):
    """Parser packs."""

    path: FilePath | None = None
    """Folder of packs to use instead of those that come with bigsec."""


class Admin(Section):
    """Where `bigsec status` and Prometheus ask: /status, /metrics, /healthz, /readyz."""

    listen: Address = "127.0.0.1:8421"
    """Address and port. Whoever can reach it can read it: keep it on this machine."""


class Watch(Section):
    """When the platform raises an event about itself."""

    interval_s: Annotated[int, Field(ge=1, le=3_600)] = 5
    """How often it looks."""
    silent_factor: Annotated[float, Field(gt=1, le=1_000)] = 3.0
    """A source is silent after this many times its own usual longest gap."""
    silent_s_min: Annotated[int, Field(ge=1, le=604_800)] = 300
    """But never before this."""
    skew_s: Annotated[int, Field(ge=1, le=31_536_000)] = 300
    """Difference between a source's clock and ours."""
    lag_s: Annotated[int, Field(ge=1, le=604_800)] = 60
    """Age of the oldest record that was not looked at yet."""
    drops_per_interval: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1
    """Datagrams lost between two looks."""
    disk_full_hours: Annotated[int, Field(ge=1, le=8_760)] = 72
    """Time left until the disk of the log is full."""
