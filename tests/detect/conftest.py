"""Rows as the compiled core's batches give them, invented."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bigsec.store import Store, memory_store

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
LEVELS = ("informational", "low", "medium", "high", "critical")

Row = dict[str, Any]
Pair = tuple[Row, Row]


def identifier(*parts: object) -> str:
    """An id that derives from its parts, as real ones do."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def pair(
    minute: float = 0,
    *,
    rule: str = "r1",
    host: str | None = "web1",
    source: str | None = None,
    target: str | None = None,
    user: str | None = None,
    level: str = "medium",
    result: str = "unknown",
    techniques: tuple[str, ...] = (),
    cves: tuple[str, ...] = (),
    entities: tuple[tuple[str, str], ...] = (),
    version: str = "1",
    event: object = None,
    **fields: Any,
) -> Pair:
    """A signal and its event. event: what tells its event from others; None: the rest of it."""
    moment = (START + timedelta(minutes=minute)).isoformat(timespec="microseconds")
    about = (minute, host, source, target, user, event)
    event_id = identifier("event", *about)
    named = [("host", host), ("ip", source), ("ip", target), ("user", user), *entities]
    signal = {
        "signal_id": identifier(rule, event_id),
        "rule_id": rule,
        "rule_title": f"Title of {rule}",
        "level": level,
        "severity_id": LEVELS.index(level) + 1,
        "time": moment,
        "source": "a.log",
        "parser": "linux_auth",
        "event_ids": [event_id],
        "entities": [{"type": kind, "value": value} for kind, value in named if value],
        "attack_techniques": list(techniques),
        "attack_tactics": ["initial-access"] if techniques else [],
        "cves": list(cves),
        "result": result,
        "rule_author": f"Author of {rule}",
        "rule_license": "Apache-2.0",
        "rule_path": f"rules/{rule}.yml",
        "detector": "sigma",
        "detector_version": version,
    }
    row: Row = {
        "event_id": event_id,
        "time": moment,
        "time_effective": moment,
        "time_received": moment,
        "source": "a.log",
        "parser": "linux_auth",
        "raw_data": f"raw line of {about}",
    }
    if host:
        row["device"] = {"hostname": host}
    if source:
        row |= {"src_ip": source, "src_endpoint": {"ip": source}}
    if target:
        row |= {"dst_ip": target, "dst_endpoint": {"ip": target}}
    if user:
        row |= {"user_name": user, "user": {"name": user}}
    return signal, row | fields


@pytest.fixture
def store() -> Iterator[Store]:
    """An empty store."""
    with memory_store() as opened:
        yield opened
