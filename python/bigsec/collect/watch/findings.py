"""What of a status is amiss. Nothing here speaks or writes: a status goes in, findings come out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bigsec.collect.settings import Watch as Thresholds
from bigsec.collect.watch.forecast import Backlog, DiskForecast
from bigsec.collect.watch.rhythm import Rhythm

__all__ = ["Finding", "Findings"]

CALM: Final = 0.8
"""A value must fall to this part of its threshold before the alarm ends, so that one that swings
about the threshold raises one."""
CALM_LOOKS: Final = 12
"""Looks without a drop after which drops are over."""
OWN: Final = "bigsec."
"""How the names of the platform's own sources begin: they speak when there is something to say."""
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A change of state."""

    kind: str
    subject: str
    raised: bool
    detail: str
    value: float | None = None
    threshold: float | None = None

    @property
    def key(self) -> _Key:
        """What it is about."""
        return self.kind, self.subject


@dataclass(slots=True)
class _Source:
    """What was last seen of a source. heard_us: its last record, or when we began to listen."""

    rhythm: Rhythm
    heard_us: int
    records: int = 0
    looked_us: int = 0
    drops: int = 0
    calm: int = 0


class Findings:
    """Compares each status with the ones before."""

    def __init__(self, rhythms: Mapping[str, str]) -> None:
        self._known = {name: Rhythm.read(written) for name, written in rhythms.items()}
        self._sources: dict[str, _Source] = {}
        self._began_us = 0
        self._disk = DiskForecast()
        self._backlog = Backlog()
        self.gauges: dict[str, float] = {}
        self.clocks: frozenset[str] = frozenset()
        """Sources whose records come when they are made, so that their clocks can be compared."""

    def began(self, status: Mapping[str, Any]) -> None:
        """Silence before this was ours, not the sources'."""
        self._began_us = status["now_us"]

    def rhythms(self) -> dict[str, str]:
        """What was learned, to be kept."""
        return {name: one.rhythm.written() for name, one in self._sources.items()}

    def of(
        self, status: Mapping[str, Any], limits: Thresholds, raised: Collection[_Key]
    ) -> list[Finding]:
        """What has begun and what has ended."""
        self.gauges = {}
        now_us: int = status["now_us"]
        found: list[Finding] = []
        running = {
            name: one
            for name, one in status["sources"].items()
            if one["meters"] is not None and not name.startswith(OWN)
        }
        for name, one in running.items():
            found += self._of_source(name, one, now_us, limits, raised)
        found += self._gone(running, raised)
        found += self._lag(status, now_us, limits, raised)
        found += self._disk_full(status, now_us, limits, raised)
        found += _degraded(status, raised)
        return found

    def _of_source(
        self,
        name: str,
        seen: Mapping[str, Any],
        now_us: int,
        limits: Thresholds,
        raised: Collection[_Key],
    ) -> Iterator[Finding]:
        meters = seen["meters"]
        source = self._sources.get(name)
        if source is None:
            rhythm = self._known.get(name, Rhythm())
            source = self._sources[name] = _Source(rhythm, max(self._began_us, 0) or now_us)

        yield from self._silence(name, source, meters, now_us, limits, raised)
        yield from _drops(name, source, meters, limits, raised)
        skew_us = (seen["ledger"] or {}).get("clock_skew_us")
        if skew_us is not None and name in self.clocks:
            yield from _skew(name, skew_us / 1e6, limits, raised)

    def _silence(
        self,
        name: str,
        source: _Source,
        meters: Mapping[str, Any],
        now_us: int,
        limits: Thresholds,
        raised: Collection[_Key],
    ) -> Iterator[Finding]:
        key = ("source_silent", name)
        if meters["records"] < source.records:  # the source was begun anew, and counts anew
            source.records = 0
        fresh = meters["records"] - source.records
        if fresh > 0:
            last_us = max(meters["last_received_us"], source.heard_us)
            # Of several records only their mean distance is known, and how long there was none.
            mean_s = (last_us - source.heard_us) / 1e6 / fresh
            empty_s = (source.looked_us - source.heard_us) / 1e6
            source.rhythm.add(max(mean_s, empty_s), was_alarm=key in raised)
            source.heard_us, source.records = last_us, meters["records"]
        source.looked_us = now_us
        usual_s = source.rhythm.usual_longest_s()
        silent_s = max(0.0, (now_us - source.heard_us) / 1e6)
        limit_s = max(limits.silent_factor * (usual_s or limits.silent_s_min), limits.silent_s_min)
        self.gauges[f'bigsec_source_silent_seconds{{source="{name}"}}'] = silent_s
        usually = f"usually at most {usual_s:.0f} s" if usual_s else "nothing was heard of it yet"
        if fresh > 0 and key in raised:
            yield Finding(*key, False, f"[sources.{name}] speaks again", silent_s, limit_s)
        elif silent_s > limit_s and key not in raised:
            detail = f"[sources.{name}] has been silent for {silent_s:.0f} s; {usually}"
            yield Finding(*key, True, detail, silent_s, limit_s)

    def _gone(self, running: Mapping[str, Any], raised: Collection[_Key]) -> Iterator[Finding]:
        """Alarms of sources that were taken out of the configuration."""
        for kind, subject in list(raised):
            known = self.clocks if kind == "clock_skew" else running
            if kind in {"source_silent", "clock_skew", "drops"} and subject not in known:
                yield Finding(kind, subject, False, f"[sources.{subject}] is no longer watched")
        for name in self._sources.keys() - running.keys():
            self._known[name] = self._sources.pop(name).rhythm

    def _lag(
        self,
        status: Mapping[str, Any],
        now_us: int,
        limits: Thresholds,
        raised: Collection[_Key],
    ) -> Iterator[Finding]:
        size, following = status["log"]["size"], status["consumer"]["next"]
        age_s = self._backlog.age_s(now_us / 1e6, size, following)
        self.gauges["bigsec_lag_seconds"] = age_s
        detail = f"{size - following:,} records wait to be looked at, the oldest for {age_s:.0f} s"
        yield from _over(("lag", status["name"]), age_s, float(limits.lag_s), detail, raised)

    def _disk_full(
        self,
        status: Mapping[str, Any],
        now_us: int,
        limits: Thresholds,
        raised: Collection[_Key],
    ) -> Iterator[Finding]:
        if status["disk"] is None:
            return
        free: int = status["disk"]["free"]
        self._disk.add(now_us / 1e6, float(free))
        left_s = self._disk.seconds_left(float(free))
        key, limit_h = ("disk_full", status["name"]), float(limits.disk_full_hours)
        left_h = left_s / 3600 if left_s is not None else None
        if left_h is not None:
            self.gauges["bigsec_disk_full_hours"] = left_h
        if left_h is not None and left_h < limit_h and key not in raised:
            detail = f"at this pace the disk is full in {left_h:.1f} h; {free:,} bytes are free"
            yield Finding(*key, True, detail, left_h, limit_h)
        elif key in raised and (left_h is None or left_h * CALM > limit_h):
            yield Finding(*key, False, "the disk lasts again", left_h, limit_h)


def _over(
    key: _Key, value: float, threshold: float, detail: str, raised: Collection[_Key]
) -> Iterator[Finding]:
    if value > threshold and key not in raised:
        yield Finding(*key, True, detail, value, threshold)
    elif value <= threshold * CALM and key in raised:
        yield Finding(*key, False, detail, value, threshold)


def _skew(
    name: str, skew_s: float, limits: Thresholds, raised: Collection[_Key]
) -> Iterator[Finding]:
    side = "behind" if skew_s > 0 else "ahead of"
    detail = f"the clock of [sources.{name}] is {abs(skew_s):.0f} s {side} ours"
    yield from _over(("clock_skew", name), abs(skew_s), float(limits.skew_s), detail, raised)


def _drops(
    name: str,
    source: _Source,
    meters: Mapping[str, Any],
    limits: Thresholds,
    raised: Collection[_Key],
) -> Iterator[Finding]:
    """Datagrams that the system threw away. They are gone: nobody will send them again."""
    key = ("drops", name)
    fresh = meters["kernel_drops"] - source.drops
    source.drops = meters["kernel_drops"]
    source.calm = source.calm + 1 if fresh <= 0 else 0
    if fresh >= limits.drops_per_interval and key not in raised:
        detail = f"[sources.{name}] lost {fresh:,} datagrams; {source.drops:,} since the start"
        yield Finding(*key, True, detail, float(fresh), float(limits.drops_per_interval))
    elif key in raised and source.calm >= CALM_LOOKS:
        yield Finding(*key, False, f"[sources.{name}] loses nothing more", 0.0)


def _degraded(status: Mapping[str, Any], raised: Collection[_Key]) -> Iterator[Finding]:
    """What the core itself says is not well. Damage found at the start is told by `began`."""
    now = {one["part"]: one for one in status["health"]["reasons"] if one["part"] != "damage"}
    for part, reason in now.items():
        if ("degraded", part) not in raised:
            yield Finding("degraded", part, True, f"{reason['what']} [{reason['code']}]")
    for kind, part in list(raised):
        if kind == "degraded" and part not in now:
            yield Finding(kind, part, False, f"{part} works again")
