"""The one table of limits.

Every bound on what a stranger can make the daemon hold stands here, with its default and the range
in which it may be set. The core has no defaults of its own.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bigsec.collect.settings.base import GIB, KIB, MIB, Section

__all__ = ["Limits"]


class Limits(Section):
    """How much of anything is held at a time."""

    record_bytes_max: Annotated[int, Field(ge=KIB, le=64 * MIB)] = 64 * MIB
    """Longest record kept in one piece; what is longer goes on in further records."""
    received_record_bytes_max: Annotated[int, Field(ge=KIB, le=64 * MIB)] = MIB
    """The same for what comes over the network, where it is less: a stranger chooses how long a
    line is, and each of many connections may hold one."""
    queue_bytes_max: Annotated[int, Field(ge=MIB, le=4 * GIB)] = 64 * MIB
    """Bytes received that wait for the log. When they are that many, senders wait."""
    connections_max: Annotated[int, Field(ge=1, le=100_000)] = 512
    """Connections of one source at a time. The longest idle one makes room for a new one."""
    connections_per_address_max: Annotated[int, Field(ge=1, le=100_000)] = 64
    """Connections of one source from one address."""
    descriptors_reserved: Annotated[int, Field(ge=16, le=10_000)] = 64
    """File descriptors that connections may not use: the log and its readers need them."""
    header_timeout_s: Annotated[int, Field(ge=1, le=3_600)] = 10
    """How long a new connection may take for its TLS handshake, first frame or HTTP header."""
    idle_timeout_s: Annotated[int, Field(ge=1, le=86_400)] = 600
    """How long a connection may be silent."""
    body_bytes_max: Annotated[int, Field(ge=KIB, le=4 * GIB)] = 64 * MIB
    """Largest body of an HTTP request, decompressed."""
    body_ratio_max: Annotated[int, Field(ge=2, le=10_000)] = 100
    """How many times a compressed body may grow."""
    multiline_lines_max: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    """Lines of one record of a source with `multiline_start`."""
    multiline_wait_ms: Annotated[int, Field(ge=10, le=60_000)] = 1_000
    """How long such a record waits for its next line."""
    files_open_max: Annotated[int, Field(ge=1, le=100_000)] = 1_024
    """Files of one source that are followed at a time."""
    chunk_events_max: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Events that signals speak of in one transaction of the store."""
    rule_signals_per_minute_max: Annotated[int, Field(ge=1, le=100_000_000)] = 6_000
    """Signals of one rule, at once and again each minute. Further matches of a rule that floods are
    counted and told of, but give no signals: they would hold up all others."""
    stop_s: Annotated[int, Field(ge=1, le=3_600)] = 60
    """How long a stop may take; what is in the log is read on at the next start."""
