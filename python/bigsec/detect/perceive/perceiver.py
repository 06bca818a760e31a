"""Gathers what is rare into incidents, and incidents into campaigns."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from typing import Any

from bigsec.detect.perceive.habits import Habits
from bigsec.detect.perceive.incident import Campaign, Incident, Part
from bigsec.detect.perceive.sensors import Meaning, Sensors
from bigsec.detect.perceive.settings import Alert, Perception

__all__ = ["Perceiver"]

Key = tuple[str, str]
_TIDY_MIN = 10_000


class _Lately:
    """On which hosts a detector fired lately."""

    def __init__(self, seen: Iterable[tuple[float, str]] = ()) -> None:
        self.seen = deque(seen)
        self._hosts = Counter(host for _, host in self.seen)

    def see(self, time_s: float, host: str, gap_s: float) -> int:
        """Take one more; gives the number of hosts within the gap."""
        while self.seen and self.seen[0][0] < time_s - gap_s:
            _, gone = self.seen.popleft()
            self._hosts[gone] -= 1
            if not self._hosts[gone]:
                del self._hosts[gone]
        self.seen.append((time_s, host))
        self._hosts[host] += 1
        return len(self._hosts)


class Perceiver:
    """Takes alerts in the order of their times; what it makes of them depends on nothing else."""

    def __init__(self, settings: Perception | None = None, sensors: Sensors | None = None) -> None:
        self.settings = settings or Perception()
        self._sensors = sensors or Sensors()
        self._habits = Habits(self.settings)
        # What a pair says in its present bin.
        self._bits: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lately: OrderedDict[str, _Lately] = OrderedDict()
        self._open: dict[Key, Incident] = {}
        self.incidents: OrderedDict[int, Incident] = OrderedDict()
        self.campaigns: OrderedDict[int, Campaign] = OrderedDict()
        self._active: list[Campaign] = []
        self._tidy_at = _TIDY_MIN
        self._next = 1

    def take(self, alert: Alert) -> Incident | None:
        """The incident that an alert belongs to; None where it says too little for one."""
        meaning = self._sensors.meaning(alert.detector)
        bits = self._bits_of(alert, meaning)
        if meaning.method.joins:
            found = self._changed(alert)
            if found is not None:
                found.add(alert.time_s, alert.host, self.settings)
            return found
        if meaning.weight == 0.0:
            return None
        incident = self._incident(alert, meaning, bits)
        if incident is None:
            return None
        incident.add(alert.time_s, alert.host, self.settings)
        campaign = self.campaigns[incident.campaign]
        campaign.last_s = alert.time_s
        if len(campaign.hosts) < self.settings.parts_max:
            campaign.hosts.add(alert.host)
        more = incident.say(alert.time_s, (alert.host, alert.detector), bits, self.settings)
        if more:
            campaign.score += more
            self._judge(alert.time_s, incident, campaign)
        return incident

    def _bits_of(self, alert: Alert, meaning: Meaning) -> float:
        """What the alert says: the surprise of its pair in this bin, by its weight."""
        pair = (alert.host, alert.detector)
        bits = self._habits.bits(alert.time_s, alert.detector, alert.host)
        if bits is None:
            return self._bits.get(pair, 0.0)
        if meaning.method.shared:
            bits /= self._hosts_lately(alert)
        self._bits[pair] = bits * meaning.weight
        self._bits.move_to_end(pair)
        if len(self._bits) > self.settings.pairs_max:
            self._bits.popitem(last=False)
        return self._bits[pair]

    def _hosts_lately(self, alert: Alert) -> int:
        """On how many hosts this detector fired within the gap."""
        lately = self._lately.setdefault(alert.detector, _Lately())
        self._lately.move_to_end(alert.detector)
        if len(self._lately) > self.settings.pairs_max:
            self._lately.popitem(last=False)
        return lately.see(alert.time_s, alert.host, self.settings.gap_s)

    def _incident(self, alert: Alert, meaning: Meaning, bits: float) -> Incident | None:
        method = meaning.method
        key = (method.name, "" if method.wide else alert.host)
        known = self._open.get(key)
        if known is not None and known.is_open(alert.time_s, self.settings):
            goes_on = (alert.host, alert.detector) in known.parts
            return known if goes_on or bits >= self.settings.rare_bits else None
        if bits < self.settings.rare_bits:
            return None
        campaign = self._campaign(alert)
        made = Incident(self._next, method, campaign.number, alert.time_s, alert.time_s)
        self._next += 1
        campaign.incidents.append(made.number)
        self._open[key] = self.incidents[made.number] = made
        if len(self.incidents) > self.settings.incidents_max:
            self._forget()
        if len(self._open) > self._tidy_at:
            self._tidy(alert.time_s)
        return made

    def _tidy(self, time_s: float) -> None:
        """Close what is over."""
        settings = self.settings
        self._open = {key: one for key, one in self._open.items() if one.is_open(time_s, settings)}
        self._tidy_at = max(_TIDY_MIN, 2 * len(self._open))

    def _changed(self, alert: Alert) -> Incident | None:
        """The open incident on this host that something changed in last."""
        here = [
            one
            for (_, host), one in self._open.items()
            if host == alert.host and one.is_open(alert.time_s, self.settings)
        ]
        return max(here, key=lambda one: (one.last_s, one.number), default=None)

    def _campaign(self, alert: Alert) -> Campaign:
        """The one that a new incident belongs to."""
        settings = self.settings
        since_s = alert.time_s - settings.campaign_s
        self._active = [one for one in self._active if one.last_s > since_s]
        for campaign in reversed(self._active):
            if alert.host in campaign.hosts or alert.time_s - campaign.last_s < settings.near_s:
                return campaign
        made = Campaign(self._next, alert.time_s)
        self._next += 1
        self.campaigns[made.number] = made
        self._active.append(made)
        return made

    def _judge(self, time_s: float, changed: Incident, campaign: Campaign) -> None:
        """Raise what says enough: the incident that changed, or all where the campaign now does."""
        settings, looked_at = self.settings, [changed]
        if campaign.raised_s is None and campaign.score >= settings.campaign_bits:
            campaign.raised_s = time_s
            looked_at = [self.incidents[number] for number in campaign.incidents]
        least = settings.incident_bits if campaign.raised_s is None else settings.part_bits
        for one in looked_at:
            if one.raised_s is None and one.score >= min(least, settings.incident_bits):
                one.raised_s = time_s

    def _forget(self) -> None:
        """The oldest incident goes, and its campaign where it was the last of it."""
        number, gone = self.incidents.popitem(last=False)
        self._open = {key: one for key, one in self._open.items() if one is not gone}
        campaign = self.campaigns[gone.campaign]
        campaign.incidents.remove(number)
        if not campaign.incidents:
            del self.campaigns[campaign.number]
            self._active = [one for one in self._active if one is not campaign]

    def state(self) -> dict[str, Any]:
        """All that the future depends on, for JSON."""
        return {
            "habits": self._habits.state(),
            "bits": [[*pair, bits] for pair, bits in self._bits.items()],
            "lately": [
                [name, [list(one) for one in lately.seen]] for name, lately in self._lately.items()
            ],
            "open": [[*key, one.number] for key, one in self._open.items()],
            "incidents": [_told(one) for one in self.incidents.values()],
            "campaigns": [
                [one.number, one.last_s, sorted(one.hosts), one.incidents, one.raised_s, one.score]
                for one in self.campaigns.values()
            ],
            "active": [one.number for one in self._active],
            "tidy_at": self._tidy_at,
            "next": self._next,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._habits.restore(state["habits"])
        self._bits = OrderedDict(((host, name), bits) for host, name, bits in state["bits"])
        self._lately = OrderedDict(
            (name, _Lately((time_s, host) for time_s, host in told))
            for name, told in state["lately"]
        )
        for told in state["incidents"]:
            one = self._made(dict(told))
            self.incidents[one.number] = one
        self._open = {(a, b): self.incidents[number] for a, b, number in state["open"]}
        for number, last_s, hosts, incidents, raised_s, score in state["campaigns"]:
            made = Campaign(number, last_s, set(hosts), list(incidents), raised_s, score)
            self.campaigns[number] = made
        self._active = [self.campaigns[number] for number in state["active"]]
        self._tidy_at = state["tidy_at"]
        self._next = state["next"]

    def _made(self, told: dict[str, Any]) -> Incident:
        parts = [Part(*part) for part in told.pop("parts")]
        method = self._sensors.method(told.pop("method"))
        hosts = set(told.pop("hosts"))
        by_pair = {(part.host, part.detector): part for part in parts}
        made = Incident(method=method, hosts=hosts, parts=by_pair, **told)
        made.restored()
        return made


def _told(one: Incident) -> dict[str, Any]:
    return {
        "number": one.number,
        "method": one.method.name,
        "campaign": one.campaign,
        "first_s": one.first_s,
        "last_s": one.last_s,
        "hosts": sorted(one.hosts),
        "parts": [
            [part.host, part.detector, part.bits, part.moment, part.count]
            for part in one.parts.values()
        ],
        "count": one.count,
        "score": one.score,
        "total": one.total,
        "raised_s": one.raised_s,
    }
