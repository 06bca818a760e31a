"""How often each rule fired, as the store has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from bigsec.detect.moments import from_us, to_text
from bigsec.store import Store
from bigsec.store.model import IncidentSignalRow, SignalRow

__all__ = ["RuleCount", "rule_counts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCount:
    """Signals of a rule, the incidents they belong to, and when the first and last were."""

    signals: int
    incidents: int
    first: datetime
    last: datetime

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "signals": self.signals,
            "incidents": self.incidents,
            "first": to_text(self.first),
            "last": to_text(self.last),
        }


def rule_counts(store: Store) -> dict[str, RuleCount]:
    """The counts by rule id, of every rule that ever fired."""
    query = (
        select(
            SignalRow.rule_id,
            func.count(),
            func.count(IncidentSignalRow.incident_id.distinct()),
            func.min(SignalRow.time_us),
            func.max(SignalRow.time_us),
        )
        .outerjoin(IncidentSignalRow, IncidentSignalRow.signal_id == SignalRow.signal_id)
        .group_by(SignalRow.rule_id)
    )
    with store.read() as connection:
        return {
            rule_id: RuleCount(
                signals=signals, incidents=incidents, first=from_us(first), last=from_us(last)
            )
            for rule_id, signals, incidents, first, last in connection.execute(query)
        }
