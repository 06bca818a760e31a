"""The run loop of the daemon: what the core reads becomes signals and incidents in the store.

One thread does all of it, so that the store has one writer: it takes chunks, records them, groups
signals into incidents, looks after the platform itself, and answers to signals and systemd. Sinks
have threads of their own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from bigsec import _core
from bigsec.collect.engine import load_packs, load_rules
from bigsec.collect.floods import Floods
from bigsec.collect.inherited import descriptor_store
from bigsec.collect.loading import Loaded
from bigsec.collect.notify import Notifier
from bigsec.collect.own_log import OwnLog
from bigsec.collect.recording import CONSUMER, Detection, Recorder
from bigsec.collect.reloading import Reloads, changes, versions
from bigsec.collect.settings import Settings, core_document
from bigsec.collect.sinks import Sinks
from bigsec.collect.watch import Watch
from bigsec.errors import BigsecError, StoreFullError, StoreLockedError
from bigsec.store import LiveStore, position_of, rewind

__all__ = ["Service", "Wishes"]

WAIT_S: Final = 0.5
"""How long to wait for a chunk before looking whether anything else is to be done."""
ABANDON_S: Final = 5.0
"""How long the end of a run that failed may take."""
RETRY_S_MAX: Final = 2.0
"""Longest pause before a store that took nothing is tried again: it works soon after there is
space."""
DRAIN_S: Final = 2.0
"""How long a stop goes on recording: what is unread stands in the log, and the next start reads
it."""


class Wishes(Protocol):
    """What signals ask for."""

    stop: bool
    reload: bool


class Service:
    """One run of the daemon."""

    def __init__(
        self,
        loaded: Loaded,
        live: LiveStore,
        detection: Detection,
        *,
        wishes: Wishes,
        log: OwnLog,
        read_again: Callable[[], Loaded],
        notifier: Notifier | None = None,
    ) -> None:
        self._loaded = loaded
        self._settings = loaded.settings
        self._live = live
        self._wishes = wishes
        self._log = log
        self._read_again = read_again
        self._systemd = notifier or Notifier()
        packs = load_packs(self._settings)
        rules = self._rules(self._settings, packs)
        held = descriptor_store()
        self._daemon = _core.Daemon(core_document(self._settings), packs, rules, held)
        self._recorder = Recorder(live.store, self._daemon.log_id, detection)
        self._watch = Watch(self._settings, live.store, self._daemon, log)
        self._sinks = Sinks(
            Path(self._settings.data_dir) / "sinks", self._daemon.log_id, self._events(packs), log
        )
        self._floods = Floods()
        self._in_force = _in_force(self._settings, rules)
        self._reloads = Reloads(Path(self._settings.data_dir))
        self._due: dict[str, float] = {}

    def _events(self, packs: _core.Packs) -> Callable[[int], _core.LogEvents]:
        """How sinks read the log: with the packs and the sources' formats of now."""
        folder = str(Path(self._settings.data_dir) / "log")
        document = core_document(self._settings)
        return lambda sequence: _core.LogEvents(folder, packs, settings=document, position=sequence)

    def run(self) -> None:
        """Work until a stop is wished for; then end in order."""
        try:
            self._begin()
            while not self._wishes.stop:
                self._round()
        except BaseException:
            self._abandon()
            raise
        self._end()

    def _begin(self) -> None:
        for path in self._live.moved:
            told = f"the store was damaged; it is kept as {path} and made again from the log"
            self._log.error("daemon.state", told, file=str(path))
            self._watch.raise_once("store_damaged", path.name, told)
        status = self._status()
        self._daemon.start(self._position(status["log"]["size"]))
        self._watch.began(status)
        self._sinks.not_beyond(status["log"]["size"], self._settings)
        self._sinks.start(self._settings)
        count = len(self._settings.sources)
        self._log.info("daemon.started", f"taking records from {count} sources", sources=count)
        self._systemd.ready(f"{count} sources")

    def _position(self, size: int) -> int:
        """Where to read on; a log that is shorter than what was read of it is an older one."""
        store, log = self._live.store, self._daemon.log_id
        known = position_of(store, log, CONSUMER)
        if known is None or known <= size:
            return -1 if known is None else known
        told = (
            f"the log has {size:,} records, but {known:,} were read of it before: it was set back"
        )
        self._log.error("daemon.log_set_back", told)
        self._watch.raise_once("log_damage", self._settings.name, told)
        rewind(store, log, CONSUMER, size)
        return size

    def _round(self) -> None:
        chunk = self._daemon.next_chunk(WAIT_S)
        if chunk is not None:
            self._record(chunk)
        if self._is_due("correlate", self._settings.store.correlate_s):
            self._correlate()
        if self._is_due("watch", self._settings.watch.interval_s):
            self._look()
        if self._systemd.watchdog_s and self._is_due("alive", self._systemd.watchdog_s):
            self._systemd.alive()
        if self._wishes.reload:
            self._wishes.reload = False
            self._reload()

    def _record(self, chunk: _core.DaemonChunk, *, patience_s: float | None = None) -> bool:
        """Record a chunk, again and again until the store takes it: nothing may be passed over.

        patience_s: give up after so long; what was not recorded is read again at the next start.
        """
        pause, until = 0.5, time.monotonic() + (patience_s or 0)
        while True:
            try:
                self._recorder.record(chunk)
            except (StoreFullError, StoreLockedError) as error:
                if self._watch.raise_once("store_refuses", self._live.store.place, str(error)):
                    self._log.failed(error)
                if self._gives_up(until if patience_s is not None else None):
                    return False
                time.sleep(pause)
                self._systemd.alive()
                pause = min(pause * 2, RETRY_S_MAX)
            else:
                self._floods.take(chunk.braked)
                self._watch.clear("store_refuses", self._live.store.place)
                return True

    def _gives_up(self, until: float | None) -> bool:
        if until is not None:
            return time.monotonic() > until
        return self._wishes.stop

    def _correlate(self) -> None:
        try:
            changed = self._recorder.correlate()
        except (StoreFullError, StoreLockedError) as error:
            self._log.failed(error, "warning")  # the signals stand; they are grouped the next time
            return
        if changed:
            self._log.info("daemon.incidents", f"incidents new or grown: {changed}", count=changed)

    def _look(self) -> None:
        status = self._status()
        try:
            self._watch.look(status)
        except BigsecError as error:
            self._log.failed(error, "warning")
        self._daemon.set_gauge("bigsec_signals_recorded", float(self._recorder.signals))
        for name, lag in self._sinks.lags(status["log"]["size"]).items():
            self._daemon.set_gauge(f'bigsec_sink_lag_records{{sink="{name}"}}', float(lag))
        for name, fault in self._sinks.faults().items():
            if fault is None:
                self._watch.clear("sink_failing", name)
            else:
                self._watch.raise_once("sink_failing", name, f"[sinks.{name}] {fault}")
        for name, missed in self._sinks.missed().items():
            self._daemon.set_gauge(f'bigsec_sink_missed_records{{sink="{name}"}}', float(missed))
            if missed:
                told = f"[sinks.{name}] was never given {missed:,} records: the log has lost them"
                self._watch.raise_once("sink_gap", name, told)
        self._floods.look(self._watch, self._daemon.set_gauge)
        self._sinks.restart_dead()
        for source in self._recorder.forged:
            told = f"[sources.{source}] sent records that look like the platform's own"
            self._watch.raise_once("forged", source, told)

    def _status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._daemon.status())
        return found

    def _reload(self) -> None:
        """Validate, say what changes, swap; what is invalid keeps the old and raises an alarm."""
        self._systemd.reloading()
        try:
            loaded = self._read_again()
            packs = load_packs(loaded.settings)
            rules = self._rules(loaded.settings, packs)
            in_force = _in_force(loaded.settings, rules)
            what = changes(self._in_force, in_force)
            told = json.loads(self._daemon.reload(core_document(loaded.settings), packs, rules))
        except BigsecError as error:
            self._log.failed(error)
            self._watch.raise_once("config_refused", "bigsec.toml", error.message)
            self._reloads.refused(error)
        else:
            self._loaded, self._settings, self._in_force = loaded, loaded.settings, in_force
            self._watch.take(loaded.settings)
            self._watch.clear("config_refused", "bigsec.toml")
            self._sinks.open_events = self._events(packs)
            self._sinks.start(loaded.settings)
            named = ", ".join(str(one["key"]) for one in what) or "nothing"
            self._log.info("daemon.reloaded", f"changed: {named}", changes=what, core=told)
            self._reloads.done(what)
        self._systemd.ready(f"{len(self._settings.sources)} sources")

    def _abandon(self) -> None:
        """After a fault: nothing more is taken in or recorded; the next start reads on."""
        self._systemd.stopping()
        self._daemon.stop(ABANDON_S)
        self._sinks.stop(ABANDON_S)

    def _rules(self, settings: Settings, packs: _core.Packs) -> _core.Rules | None:
        rules = load_rules(settings, packs)
        for problem in rules.problems if rules is not None else ():
            self._log.problem("warning", problem)
        return rules

    def _end(self) -> None:
        """Sources first, then what they gave is flushed; a backlog is left to the next start."""
        self._systemd.stopping()
        self._watch.end(within_s=5.0)
        self._log.info("daemon.stopping", "no more records are taken in")
        until = time.monotonic() + self._settings.limits.stop_s
        for name in self._daemon.stop(float(self._settings.limits.stop_s)):
            self._log.warning("daemon.source_late", f"[sources.{name}] did not end in time")
        drain = min(until, time.monotonic() + DRAIN_S)
        while not self._daemon.drained and (left := drain - time.monotonic()) > 0:
            self._systemd.alive()
            chunk = self._daemon.next_chunk(min(left, WAIT_S))
            if chunk is not None and not self._record(chunk, patience_s=left):
                break
        if self._daemon.drained:
            self._correlate()
        self._sinks.stop(max(1.0, until - time.monotonic()))
        self._log.info("daemon.stopped", "what was acknowledged stands in the log")

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_s
        return True


def _in_force(settings: Settings, rules: _core.Rules | None) -> dict[str, Any]:
    """What a reload is compared with."""
    return {**settings.model_dump(mode="json"), **versions(settings, rules)}
