"""Where records come from: one table `[sources.NAME]` each, told apart by `type`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bigsec.collect.settings.base import KIB, MIB, Address, FilePath, Section, Zone

__all__ = [
    "FileSource",
    "HttpSource",
    "RelpSource",
    "Source",
    "StdinSource",
    "SyslogTcpSource",
    "SyslogUdpSource",
    "Tls",
]


class Tls(Section):
    """TLS of a source that listens. Without this table it speaks plain text."""

    certificate_file: FilePath
    """Certificate and its chain, PEM."""
    key_file: FilePath
    """Its private key, PEM, readable by the daemon alone."""
    client_ca_file: FilePath | None = None
    """Authorities of client certificates, PEM. Without it, clients are asked for none."""
    client_certificate_required: bool = True
    """With `client_ca_file`: turn clients without a certificate away, not only those with a wrong
    one."""


class AnySource(Section):
    """What every source has."""

    format: str | None = None
    """Parser pack or decoder of its records. Without it, found for each record."""
    timezone: Zone = "UTC"
    """Zone of records that do not say theirs: Asia/Shanghai, +08:00."""
    backfill: bool = False
    """Old records are sent: their own times are believed however old they are."""


class FileSource(AnySource):
    """Files that grow: followed through rotation by rename, by copy and truncate, and restarts."""

    type: Literal["file"]
    paths: Annotated[list[FilePath], Field(min_length=1)]
    """Files or patterns (`*`, `?`, `[…]`, `**`)."""
    exclude: list[FilePath] = Field(default_factory=list)
    """Patterns of files to leave out."""
    start_at: Literal["beginning", "end"] = "beginning"
    """Where to begin in a file met for the first time."""
    compressed: bool = True
    """Also read rotated files that were compressed (.gz, .zst, .xz) before they were read."""
    multiline_start: str | None = None
    """Regular expression of a record's first line; lines that do not fit belong to it."""
    poll_ms: Annotated[int, Field(ge=10, le=60_000)] = 250
    """How often to look for new lines."""


class StdinSource(AnySource):
    """What is piped into the daemon, one record a line."""

    type: Literal["stdin"]


class SyslogUdpSource(AnySource):
    """Syslog over UDP, one record a datagram. It cannot be acknowledged: losses are counted."""

    type: Literal["syslog_udp"]
    listen: Address = "0.0.0.0:514"
    """Address and port."""
    receive_buffer_bytes: Annotated[int, Field(ge=4 * KIB, le=1024 * MIB)] = 32 * MIB
    """Buffer of the socket; what the system grants is shown by `bigsec status`."""


class SyslogTcpSource(AnySource):
    """Syslog over TCP or TLS, framed by octet counts, line ends or NUL."""

    type: Literal["syslog_tcp"]
    listen: Address = "0.0.0.0:601"
    """Address and port."""
    framing: Literal["auto", "octet_counting", "lines", "nul"] = "auto"
    """`auto` finds it for each connection."""
    tls: Tls | None = None
    """TLS; `[sources.NAME.tls]`."""


class RelpSource(AnySource):
    """RELP: every record is acknowledged when it is durable."""

    type: Literal["relp"]
    listen: Address = "0.0.0.0:2514"
    """Address and port."""
    tls: Tls | None = None
    """TLS; `[sources.NAME.tls]`."""


class HttpSource(AnySource):
    """NDJSON or lines by POST; the answer is positive when they are durable."""

    type: Literal["http"]
    listen: Address = "127.0.0.1:8422"
    """Address and port."""
    path: Annotated[str, Field(pattern=r"^/[!-~]*$")] = "/"
    """Path of the requests."""
    body_timeout_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    """How long a body may take to come."""
    answer_timeout_s: Annotated[int, Field(ge=1, le=3_600)] = 30
    """How long a sender waits for its records to be durable before it is told to try again."""
    token_file: FilePath | None = None
    """File with the token that a sender must show (`Authorization: Bearer …`)."""
    tls: Tls | None = None
    """TLS; `[sources.NAME.tls]`."""


Source = Annotated[
    FileSource | StdinSource | SyslogUdpSource | SyslogTcpSource | RelpSource | HttpSource,
    Field(discriminator="type"),
]
"""Any source."""
