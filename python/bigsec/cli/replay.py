"""`bigsec replay`: an evidence log through today's packs and rules."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli import account
from bigsec.cli.account import Account, Matched
from bigsec.cli.configuration import ConfigOption, load_config
from bigsec.cli.exits import Exit
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    IndicatorsOption,
    JsonOption,
    MinLevelOption,
    QuietOption,
    RulesOption,
    StatusOption,
    ZoneOption,
)
from bigsec.cli.ruleset import load_rules
from bigsec.cli.scan import SignalSink, write_incidents
from bigsec.cli.scanning import Destination, take
from bigsec.cli.span import zone
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.usage import wrong_usage
from bigsec.cli.verify import log_folder
from bigsec.cli.wording import text
from bigsec.errors import Problem

if TYPE_CHECKING:
    from bigsec._core import LogEvents, Rules, SourceLedger
    from bigsec.store import Store


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to read, up to where, and with which rules."""

    events: LogEvents
    until: int
    rules: Rules


@dataclass(slots=True)
class SourceAccount:
    """What became of the records of one source of the log."""

    bytes: int = 0
    received: int = 0
    parsed: int = 0
    unparsed: int = 0
    quarantined: int = 0
    events: int = 0
    parsers: dict[str, int] = field(default_factory=Counter)
    reasons: dict[str, int] = field(default_factory=Counter)
    duplicate_of: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def add(self, ledger: SourceLedger) -> None:
        """Count what a chunk of the log adds."""
        for name in ("bytes", "received", "parsed", "unparsed", "quarantined", "events"):
            setattr(self, name, getattr(self, name) + getattr(ledger, name))
        for mine, more in ((self.parsers, ledger.parsers), (self.reasons, ledger.reasons)):
            for key, count in more.items():
                mine[key] = mine.get(key, 0) + count


LogArgument = Annotated[str | None, typer.Argument(metavar="DIR", help=text("replay.log"))]
FromOption = Annotated[
    int, typer.Option("--from", metavar="SEQUENCE", min=-1, help=text("replay.from"))
]
ToOption = Annotated[
    int | None, typer.Option("--to", metavar="SEQUENCE", min=0, help=text("replay.to"))
]
OutputOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="DIR", help=text("scan.output"))
]
SignalsOption = Annotated[bool, typer.Option("--signals", help=text("scan.signals"))]
_WAIT_S = 1.0


def replay(
    log: LogArgument = None,
    config: ConfigOption = None,
    first: FromOption = -1,
    to: ToOption = None,
    rules: RulesOption = None,
    indicators: IndicatorsOption = None,
    output: OutputOption = None,
    signals: SignalsOption = False,
    form: FormatOption = None,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    min_level: MinLevelOption = None,
    status: StatusOption = None,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Read an evidence log again."""
    from bigsec import default_packs
    from bigsec._core import EvidenceLog, LogEvents

    talk = Talk.of(form, json, color, quiet=quiet)
    local = zone(timezone)
    folder, document = log_of(log, config)
    loaded = load_rules(rules or [], status=status, min_level=min_level, indicators=indicators)
    talk.show(loaded.problems)
    until = EvidenceLog(folder).size if to is None else to
    events = LogEvents(
        folder, default_packs(), settings=document, rules=loaded, position=first, until=until
    )
    plan = _Plan(events, until, loaded)
    with Stop() as stop, Destination(output) as destination:
        if signals:
            with SignalSink(talk, local, must_go_on=output is not None) as sink:
                done = _run(plan, destination.store, stop, sink)
                destination.settle()
        else:
            done = _run(plan, destination.store, stop, None)
            write_incidents(destination.settle(), talk, local, folder=output)
    if not quiet:
        account.show(done, talk.err)
    return Exit.INTERRUPTED if done.interrupted else Exit.DONE


def log_of(log: str | None, config: list[str] | None) -> tuple[str, str | None]:
    """The log's folder, and how its sources are read where a configuration says."""
    from bigsec.collect.settings import core_document

    if log is not None and not config:
        return log_folder(log), None
    if log is None and not config:
        raise wrong_usage(text("replay.which"), text("replay.which_mend"))
    settings = load_config(config).settings
    return log_folder(log or settings.data_dir), core_document(settings)


def _run(plan: _Plan, store: Store, stop: Stop, sink: SignalSink | None) -> Account:
    from bigsec.collect.recording import genuine
    from bigsec.detect import correlate

    began = time.monotonic()
    sources: dict[str, SourceAccount] = {}
    matched: dict[str, Matched] = {}
    reached = -1
    while not stop.requested and reached < plan.until:
        chunk = plan.events.next_chunk(_WAIT_S)
        if chunk is None:
            break
        found, _ = genuine(chunk.signals.to_pylist())
        take(found, chunk.events.to_pylist(), store, matched, sink)
        for ledger in chunk.ledgers:
            sources.setdefault(ledger.source, SourceAccount()).add(ledger)
        reached = chunk.next
    return Account(
        ledgers=list(sources.values()),
        elapsed_s=time.monotonic() - began,
        interrupted=stop.requested,
        rules=plan.rules,
        matched=matched,
        recorded=correlate(store),
    )
