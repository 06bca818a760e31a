"""One scan from inputs to incidents, as `scan` and `demo` both run it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bigsec.cli.account import Account, Matched, count_signals
from bigsec.cli.problems import is_error
from bigsec.cli.progress import Progress
from bigsec.cli.stop import Stop

if TYPE_CHECKING:
    from bigsec._core import Rules
    from bigsec.store import Store

SignalSink = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to scan and how."""

    inputs: list[Any]
    rules: Rules
    format: str | None = None
    timezone: str = "UTC"
    since_us: int | None = None
    until_us: int | None = None
    evidence: str | None = None
    """Folder of an evidence log that the records go to."""
    keep_raw: bool = True
    """All records go there; otherwise those that signals speak of."""


def evidence_folder(output: str) -> str:
    """Where a scan keeps the records that it read, below its output folder."""
    return os.path.join(output, "evidence")


class Destination:
    """Where a scan keeps what it finds: a folder, or memory that is gone afterwards."""

    def __init__(self, folder: str | None) -> None:
        from bigsec.store import OutputFolder, memory_store

        self._folder = folder
        self._open = ExitStack()
        self._output = None if folder is None else OutputFolder(folder)
        self.store: Store = (
            memory_store() if self._output is None else self._open.enter_context(self._output).store
        )

    def __enter__(self) -> Destination:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; a folder that was not settled stays as it was."""
        self._open.close()
        self.store.close()

    def settle(self) -> Store:
        """Make what was found last, and give the store to read it from."""
        from bigsec.store import open_store

        if self._output is not None and self._folder is not None:
            self._output.commit()
            self.store = open_store(self._folder)
        return self.store


def run(
    plan: Plan, store: Store, *, progress: Progress, stop: Stop, on_signal: SignalSink | None = None
) -> Account:
    """Scan into a store. Ends early, with everything found so far, when `stop` is requested.

    on_signal: takes each signal as it is found, with the text of its events under `raw`.
    """
    from bigsec import Scanner, default_packs
    from bigsec.detect import correlate

    began = time.monotonic()
    scanner = Scanner(
        plan.inputs,
        plan.rules,
        default_packs(),
        format=plan.format,
        timezone=plan.timezone,
        since_us=plan.since_us,
        until_us=plan.until_us,
        known_files=store.known_files(),
        evidence=plan.evidence,
        keep_raw=plan.keep_raw,
    )
    matched: dict[str, Matched] = {}
    for chunk in scanner:
        signals, events = chunk.signals.to_pylist(), chunk.events.to_pylist()
        if on_signal is not None:
            progress.clear()
        take(signals, events, store, matched, on_signal)
        progress.update(*scanner.progress())
        if stop.requested:
            break
    recorded = correlate(store)
    store.remember_files(scanner.files)
    progress.clear()
    return Account(
        ledgers=scanner.ledgers,
        elapsed_s=time.monotonic() - began,
        interrupted=stop.requested,
        rules=plan.rules,
        matched=matched,
        recorded=recorded,
    )


def take(
    signals: list[dict[str, Any]],
    events: list[dict[str, Any]],
    store: Store,
    matched: dict[str, Matched],
    on_signal: SignalSink | None,
) -> None:
    """Signals with the events that they speak of: to whoever waits for them, to the store, and to
    the account of the run."""
    from bigsec.detect import add

    if on_signal is not None:
        hand_on(signals, events, on_signal)
    if signals:
        add(store, signals, events)
    count_signals(signals, matched)


def hand_on(
    signals: list[dict[str, Any]], events: list[dict[str, Any]], on_signal: SignalSink
) -> None:
    raw = {event["event_id"]: event.get("raw_data") for event in events}
    for signal in signals:
        on_signal({**signal, "raw": [raw.get(one) for one in signal["event_ids"]]})


def rules_left_out(rules: Rules) -> bool:
    """Whether a rule could not be loaded."""
    return any(is_error(problem) for problem in rules.problems)
