"""What is perceived, and by which measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Alert", "Perception"]


class Alert(NamedTuple):
    """One alert of a sensor.

    time_s: seconds since 1970 UTC. detector: the sensor's name for what it saw. host: where.
    alert_id: breaks the last ties of order.
    """

    time_s: float
    detector: str
    host: str
    alert_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Perception:
    """The measure, one for all places. Bits are of information: 10 is once in a thousand.

    bin_s: a detector on a host counts once in such a stretch.
    gap_s: alerts further apart belong to different incidents.
    campaign_s: incidents on one host no further apart than this are one campaign; `near_s` those
        on different hosts.
    rare_bits: an alert that says less founds no incident.
    incident_bits: an incident that says so much is raised; in a campaign that says `campaign_bits`,
        one that says `part_bits`.
    bits_max: no alert says more than this by its rarity.
    news_s: half-life of the memory of how much is new anyhow.
    learning_s: so long after the beginning what is new says less.
    moment_s: alerts on one host closer together than this are one observation.
    alone: what an incident counts that has too few detectors for its method.
    pairs_max: detectors on hosts that are remembered. incidents_max: incidents that are.
    parts_max: detectors on hosts, and hosts, that are listed of one incident or campaign; what
        goes beyond is counted alone.
    """

    bin_s: float = 300.0
    gap_s: float = 600.0
    campaign_s: float = 2_400.0
    near_s: float = 600.0
    rare_bits: float = 5.5
    incident_bits: float = 15.0
    campaign_bits: float = 26.0
    part_bits: float = 8.0
    bits_max: float = 16.0
    news_s: float = 43_200.0
    learning_s: float = 86_400.0
    moment_s: float = 3.0
    alone: float = 0.4
    pairs_max: int = 1_000_000
    incidents_max: int = 100_000
    parts_max: int = 10_000
