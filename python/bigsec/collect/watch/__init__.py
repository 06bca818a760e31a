"""Watching the watchers: the platform raises events about itself.

Each thing that can be amiss is an alarm with a kind and a subject. Only a change of its state makes
an event, and what is raised is kept in the store, so that neither a condition that lasts nor a
restart repeats it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from bigsec.collect.own_log import OwnLog
from bigsec.collect.settings import Settings
from bigsec.collect.watch.findings import Finding, Findings
from bigsec.collect.watch.voice import Platform, Voice
from bigsec.errors import StoreError
from bigsec.store import Store, read_alarms, read_rhythms, write_alarms, write_rhythms

__all__ = ["Watch"]

TOGETHER_MAX: Final = 20
"""Alarms of one kind at one look that are told one by one; of more, one event tells of all."""
KEEP_S: Final = 300.0
"""How often the rhythms learned are kept."""
AT_START: Final = frozenset({"log_damage", "store_damaged"})
"""Found once, when the daemon starts; they do not clear by themselves."""


class Gauges(Platform, Protocol):
    """What of the core is needed here."""

    def set_gauge(self, name: str, value: float) -> None:
        """Set a metric."""


class Watch:
    """Looks at the daemon's status and tells what has changed."""

    def __init__(self, settings: Settings, store: Store, core: Gauges, log: OwnLog) -> None:
        self._store = store
        self._core = core
        self._voice = Voice(core, settings.name, log)
        self._raised = read_alarms(store)
        self._findings = Findings(read_rhythms(store))
        self._kept_s = time.monotonic()
        self._unkept = False
        self.take(settings)

    def take(self, settings: Settings) -> None:
        """Watch by other settings from now on."""
        self._limits = settings.watch
        self._findings.clocks = frozenset(
            name
            for name, source in settings.sources.items()
            if source.type not in {"file", "stdin"} and not source.backfill
        )

    def began(self, status: Mapping[str, Any]) -> None:
        """Note how the daemon found things when it started."""
        self._findings.began(status)
        self._voice.say("started", "info", status["name"], "the daemon takes records in")
        for what in status["log"]["recovery"]["damage"]:
            self._voice.say("log_damage", "raised", status["name"], str(what))

    def look(self, status: Mapping[str, Any]) -> None:
        """Judge a status, and tell what began and what ended since the last."""
        found = self._findings.of(status, self._limits, self._raised.keys())
        self._change([one for one in found if one.raised], [one for one in found if not one.raised])
        for name, value in self._findings.gauges.items():
            self._core.set_gauge(name, value)
        if time.monotonic() - self._kept_s >= KEEP_S:
            self.keep()

    def raise_once(self, kind: str, subject: str, detail: str) -> bool:
        """Raise an alarm that something else found; False where it is raised already."""
        if (kind, subject) in self._raised:
            return False
        if kind in AT_START:
            self._voice.say(kind, "raised", subject, detail)
        else:
            self._change([Finding(kind, subject, True, detail)], [])
        return True

    def clear(self, kind: str, subject: str) -> None:
        """Clear such an alarm, where it is raised."""
        if (kind, subject) in self._raised:
            self._change([], [Finding(kind, subject, False, "it works again")])

    def keep(self) -> None:
        """Keep what was learned."""
        self._kept_s = time.monotonic()
        write_rhythms(self._store, self._findings.rhythms())
        if self._unkept:
            ended = read_alarms(self._store).keys() - self._raised.keys()
            write_alarms(self._store, self._raised, ended)
            self._unkept = False

    def end(self, within_s: float) -> None:
        """Keep what was learned, and say what is still to be said."""
        with contextlib.suppress(StoreError):  # learned again, and told by who records signals
            self.keep()
        self._voice.end(within_s)

    def _change(self, raised: list[Finding], cleared: list[Finding]) -> None:
        if not raised and not cleared:
            return
        now_us = time.time_ns() // 1000
        began = {one.key: now_us for one in raised}
        self._raised.update(began)
        for one in cleared:
            self._raised.pop(one.key, None)
        self._tell(raised, "raised")
        self._tell(cleared, "cleared")
        try:
            write_alarms(self._store, began, [one.key for one in cleared])
        except StoreError:
            # That the store takes nothing may be the very alarm: it is told, and kept later.
            self._unkept = True

    def _tell(self, findings: Iterable[Finding], state: str) -> None:
        by_kind: dict[str, list[Finding]] = {}
        for one in findings:
            by_kind.setdefault(one.kind, []).append(one)
        for kind, alike in by_kind.items():
            if len(alike) > TOGETHER_MAX:
                names = ", ".join(one.subject for one in alike[:TOGETHER_MAX])
                detail = f"{len(alike)} at the same time: {names} …"
                self._voice.say(kind, state, f"{len(alike)} sources", detail, count=len(alike))
                continue
            for one in alike:
                self._voice.say(
                    kind, state, one.subject, one.detail, value=one.value, threshold=one.threshold
                )
