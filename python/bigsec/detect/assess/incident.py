"""What an incident means here: could it work, how urgent is it, of which class is it.

Made when somebody looks, from the incident and from what is known of its machines by then: a
finding that arrives later counts at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from bigsec.detect.assess.classes import Classification, Warned, classify, warning_of
from bigsec.detect.assess.exploitability import Attack, Exploitability, judge
from bigsec.detect.assess.findings import checks_of, criticality_of
from bigsec.detect.assess.scoring import Score, score
from bigsec.detect.assess.stages import furthest, steps
from bigsec.detect.levels import level_of
from bigsec.detect.moments import to_us
from bigsec.detect.signal import Evidence, Signal
from bigsec.store.model import IncidentEntityRow

__all__ = ["Assessment", "assess"]

_MACHINES: Final = ("host", "ip", "domain")
_TARGETS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What it comes to. stage: the furthest tactic of ATT&CK that was seen."""

    exploitability: Exploitability
    score: Score
    gb20986: Classification
    warning: Warned
    stage: str | None


def assess(
    connection: Connection,
    fields: dict[str, Any],
    signals: Sequence[Signal],
    evidence: Iterable[Evidence],
) -> Assessment:
    """Of one incident. fields: as `incident_fields` gives them."""
    targets = _targets(connection, fields["incident_id"])
    known = frozenset(one.casefold() for one in targets)
    cves = {cve.upper() for signal in signals for cve in signal.cves}
    attack = Attack(
        time_us=to_us(fields["first"]),
        assets=known,
        cves=frozenset(cves),
        ports=frozenset(_ports(evidence)),
    )
    could = judge(attack, checks_of(connection, known))
    techniques, tactics = fields["method"].values, fields["attack_tactics"]
    urgency = score(
        level=level_of(fields["severity_id"]),
        confidence=fields["confidence"],
        result=fields["result"],
        exploitability=could.verdict,
        criticality=criticality_of(connection, known),
        targets=len(targets),
        steps=steps(one.attack_tactics for one in sorted(signals, key=_in_time)),
    )
    return Assessment(
        exploitability=could,
        score=urgency,
        gb20986=classify(techniques, tactics),
        warning=warning_of(urgency.total),
        stage=furthest(tactics),
    )


def _in_time(signal: Signal) -> tuple[datetime, str]:
    return signal.time, signal.signal_id


def _targets(connection: Connection, incident_id: str) -> list[str]:
    """The names and addresses of the machines that were acted on."""
    query = (
        select(IncidentEntityRow.value)
        .where(IncidentEntityRow.incident_id == incident_id)
        .where(IncidentEntityRow.role == "target")
        .where(IncidentEntityRow.type.in_(_MACHINES))
        .order_by(IncidentEntityRow.value)
        .limit(_TARGETS_MAX)
    )
    return list(connection.scalars(query))


def _ports(evidence: Iterable[Evidence]) -> Iterable[int]:
    for event in evidence:
        endpoint = event.ocsf.get("dst_endpoint")
        port = endpoint.get("port") if isinstance(endpoint, dict) else None
        if isinstance(port, int) and port > 0:
            yield port
