"""Settings of this room."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Grouping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How signals are grouped into incidents.

    gap_s: signals on one entity further apart than this belong to different incidents.
    sources_max: an entity that more sources than this act on within such a stretch is a hub (a
        public web server): it no longer links its signals; each source stands for itself.
    targets_max: a source that acts in more places than this is a sweep (a scanner): its signals
        are one incident, and do not link the incidents of its targets.
    busy_s: an entity on which signals go on for longer than this without such a gap is noise: it
        links nothing. What one rule says in one place is still one incident.
    """

    gap_s: int = 3600
    sources_max: int = 10
    targets_max: int = 20
    busy_s: int = 86_400
