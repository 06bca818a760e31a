"""Raised incidents as signals for a store: each detector on each host is a signal of its own.

What is kept depends on the incident alone: kept again, grown or not, it stays the same signals, and
new ones come beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from ipaddress import ip_address
from typing import Any, Final

from bigsec.detect.levels import severity_of
from bigsec.detect.moments import to_text
from bigsec.detect.perceive.incident import Incident, Part
from bigsec.detect.perceive.settings import Perception

__all__ = ["rows_of"]

DETECTOR: Final = "perceive"
_PARSER: Final = "perceive"
_FINDING_CLASS: Final = 2004
"""OCSF: Detection Finding."""


def rows_of(
    incidents: Iterable[Incident], settings: Perception
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of signals and of events for `bigsec.detect.record`, of those that are raised.

    An incident that says as much as a whole campaign needs is high, every other is medium. A part
    that says less than `rare_bits` is background of it and is left out.
    """
    signals: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for incident in incidents:
        if incident.raised_s is None:
            continue
        level = "high" if incident.score >= settings.campaign_bits else "medium"
        parts = [one for one in incident.parts.values() if one.bits >= settings.rare_bits]
        for part in parts or list(incident.parts.values()):
            event = _event(part, settings)
            events.append(event)
            signals.append(_signal(incident, part, event, level))
    return signals, events


def _event(part: Part, settings: Perception) -> dict[str, Any]:
    time = to_text(datetime.fromtimestamp(part.moment * settings.moment_s, UTC))
    return {
        "event_id": _id("event", part.host, part.detector, part.moment),
        "time": time,
        "time_effective": time,
        "time_received": time,
        "class_uid": _FINDING_CLASS,
        "source": part.detector.split(": ", 1)[0],
        "parser": _PARSER,
        "message": part.detector,
        "device": {"ip" if _is_address(part.host) else "hostname": part.host},
        "count": part.count,
    }


def _signal(incident: Incident, part: Part, event: dict[str, Any], level: str) -> dict[str, Any]:
    method = incident.method
    return {
        "signal_id": _id("signal", part.host, part.detector, part.moment),
        "rule_id": part.detector,
        "rule_title": part.detector,
        "level": level,
        "severity_id": severity_of(level),
        "time": event["time"],
        "source": event["source"],
        "parser": _PARSER,
        "event_ids": [event["event_id"]],
        "entities": [{"type": "ip" if _is_address(part.host) else "host", "value": part.host}],
        "attack_techniques": [method.technique] if method.technique else [],
        "attack_tactics": [method.tactic] if method.tactic else [],
        "cves": [],
        "result": "unknown",
        "detector": DETECTOR,
        "detector_version": level,
    }


def _is_address(host: str) -> bool:
    """Network sensors name the host that was acted on by its address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _id(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=16, person=b"bigsec.perceive").hexdigest()
