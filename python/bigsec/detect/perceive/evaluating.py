"""How much of what is known to have happened was discovered, how soon, and at the price of how much
noise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bigsec.detect.perceive.incident import Incident
from bigsec.detect.perceive.settings import Alert

__all__ = ["Evaluation", "Found", "evaluate"]

_NOTHING: Final = frozenset({"", "-", "0", "false", "none", "benign", "normal", "false_positive"})
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Found:
    """One kind of attack.

    gathered: its alerts that are in raised incidents. minutes: from its first alert to the first
    incident raised that holds one, 0 where that was raised before; None where none was.
    """

    label: str
    alerts: int
    gathered: int
    first_s: float
    incidents: tuple[int, ...]
    minutes: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The measure of one stretch of time. noise: raised incidents without an alert of an attack."""

    alerts: int
    days: float
    incidents: int
    raised: int
    noise: int
    found: tuple[Found, ...]

    @property
    def discovered(self) -> float | None:
        """Share of the kinds of attack that were found; None where there is none."""
        count = sum(one.minutes is not None for one in self.found)
        return count / len(self.found) if self.found else None

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        days = max(self.days, 1 / 24)
        return {
            "alerts": self.alerts,
            "days": round(self.days, 3),
            "incidents": self.incidents,
            "raised": self.raised,
            "raised_a_day": round(self.raised / days, 2),
            "noise": self.noise,
            "noise_a_day": round(self.noise / days, 2),
            "attacks": len(self.found),
            "attacks_found": sum(one.minutes is not None for one in self.found),
            "discovered": self.discovered,
            "found": [
                {
                    "label": one.label,
                    "alerts": one.alerts,
                    "gathered": one.gathered,
                    "incidents": list(one.incidents),
                    "minutes": None if one.minutes is None else round(one.minutes, 2),
                }
                for one in self.found
            ],
        }


def evaluate(
    alerts: Iterable[tuple[Alert, Incident | None]], labels: Mapping[str, str]
) -> Evaluation:
    """Judge what became of each alert. labels: by the alerts' ids; `-`, `benign`, `false_positive`
    and the like are no attack."""
    count, times = 0, [float("inf"), float("-inf")]
    incidents: dict[int, Incident] = {}
    attacked: set[int] = set()
    held: dict[str, list[tuple[float, Incident | None]]] = {}
    for alert, incident in alerts:
        count += 1
        times = [min(times[0], alert.time_s), max(times[1], alert.time_s)]
        if incident is not None:
            incidents[incident.number] = incident
        label = labels.get(alert.alert_id, "")
        if label.strip().lower() in _NOTHING:
            continue
        held.setdefault(label, []).append((alert.time_s, incident))
        if incident is not None:
            attacked.add(incident.number)
    raised = {number for number, one in incidents.items() if one.raised_s is not None}
    found = (_found(label, seen) for label, seen in held.items())
    return Evaluation(
        alerts=count,
        days=(times[1] - times[0]) / _DAY_S if count else 0.0,
        incidents=len(incidents),
        raised=len(raised),
        noise=len(raised - attacked),
        found=tuple(sorted(found, key=lambda one: (one.first_s, one.label))),
    )


def _found(label: str, seen: list[tuple[float, Incident | None]]) -> Found:
    first_s = min(time_s for time_s, _ in seen)
    raised = {
        one.number: one.raised_s for _, one in seen if one is not None and one.raised_s is not None
    }
    return Found(
        label=label,
        alerts=len(seen),
        gathered=sum(one is not None and one.number in raised for _, one in seen),
        first_s=first_s,
        incidents=tuple(sorted(raised)),
        minutes=max(0.0, min(raised.values()) - first_s) / 60 if raised else None,
    )
