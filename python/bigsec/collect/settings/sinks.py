"""Where events go besides the store: one table `[sinks.NAME]` each, told apart by `type`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bigsec.collect.settings.base import GIB, KIB, MIB, FilePath, Section, WebAddress

__all__ = ["FileSink", "HttpSink", "LakeSink", "Sink"]


class FileSink(Section):
    """A file of events, one JSON object a line."""

    type: Literal["file"]
    path: FilePath
    """The file; its folder must exist."""
    rotate_bytes: Annotated[int, Field(ge=64 * KIB, le=64 * GIB)] = 256 * MIB
    """Size at which it is renamed to PATH.1, PATH.2 …"""
    keep_files: Annotated[int, Field(ge=1, le=10_000)] = 10
    """How many renamed files stay; older ones are removed. The evidence log keeps the records."""


class HttpSink(Section):
    """Events by POST, NDJSON; what was not answered by 2xx is sent again."""

    type: Literal["http"]
    url: WebAddress
    """Where to. A redirect is a refusal."""
    token_file: FilePath | None = None
    """File with a token for `Authorization: Bearer …`."""
    ca_file: FilePath | None = None
    """Authorities of the server's certificate, PEM. Without it, those of the system."""
    batch_bytes: Annotated[int, Field(ge=KIB, le=64 * MIB)] = MIB
    """About how much to send in one request."""
    timeout_s: Annotated[int, Field(ge=1, le=600)] = 30
    """How long a request may take in all."""
    retry_s_max: Annotated[int, Field(ge=1, le=3_600)] = 60
    """Longest pause between two attempts; pauses begin at half a second and double."""


class LakeSink(Section):
    """Every event in a lake: Parquet files that `bigsec query` searches."""

    type: Literal["lake"]
    path: FilePath
    """The lake's folder. Several daemons may write to one."""
    keep_days: Annotated[int, Field(ge=183, le=36_500)] | None = None
    """For how many days after their receipt events are kept, 183 at least. Without it, for ever."""


Sink = Annotated[FileSink | HttpSink | LakeSink, Field(discriminator="type")]
"""Any sink."""
