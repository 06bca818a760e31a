"""`bigsec hunt`: rules and indicators of today over the events of a lake."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli import account
from bigsec.cli.account import Account, Matched
from bigsec.cli.exits import Exit
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    IndicatorsOption,
    JsonOption,
    MinLevelOption,
    QuietOption,
    RulesOption,
    SinceOption,
    StatusOption,
    UntilOption,
    ZoneOption,
)
from bigsec.cli.query import LAKE_DEFAULT, LakeOption
from bigsec.cli.ruleset import load_rules
from bigsec.cli.scan import SignalSink, write_incidents
from bigsec.cli.scanning import Destination, take
from bigsec.cli.span import between, zone
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bigsec._core import Rules
    from bigsec.lake import Hunted
    from bigsec.store import Store

FilterArgument = Annotated[
    str, typer.Argument(metavar="FILTER", help=text("query.filter"), show_default=False)
]
OutputOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="DIR", help=text("hunt.output"))
]
SignalsOption = Annotated[bool, typer.Option("--signals", help=text("scan.signals"))]


def hunt(
    filter: FilterArgument = "",
    lake: LakeOption = LAKE_DEFAULT,
    rules: RulesOption = None,
    indicators: IndicatorsOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
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
    """Look for new things in old events."""
    from bigsec.lake import Lake
    from bigsec.lake import hunt as hunted

    talk, local = Talk.of(form, json, color, quiet=quiet), zone(timezone)
    span = between(since, until, local)
    loaded = load_rules(rules or [], status=status, min_level=min_level, indicators=indicators)
    talk.show(loaded.problems)
    found = hunted(Lake(lake), loaded, filter, **span)
    with Stop() as stop, Destination(output) as destination:
        if signals:
            with SignalSink(talk, local, must_go_on=output is not None) as sink:
                done, looked_at = _run(found, loaded, destination.store, stop, sink)
                destination.settle()
        else:
            done, looked_at = _run(found, loaded, destination.store, stop, None)
            write_incidents(destination.settle(), talk, local, folder=output)
    if not quiet:
        talk.say(text("hunt.looked_at", events=f"{looked_at:,}"))
        account.show(done, talk.err)
    return Exit.INTERRUPTED if done.interrupted else Exit.DONE


def _run(
    found: Iterator[Hunted], rules: Rules, store: Store, stop: Stop, sink: SignalSink | None
) -> tuple[Account, int]:
    from bigsec.detect import correlate

    began, looked_at = time.monotonic(), 0
    matched: dict[str, Matched] = {}
    for part in found:
        looked_at += part.looked_at
        take(part.signals, part.events, store, matched, sink)
        if stop.requested:
            break
    done = Account(
        ledgers=[],
        elapsed_s=time.monotonic() - began,
        interrupted=stop.requested,
        rules=rules,
        matched=matched,
        recorded=correlate(store),
    )
    return done, looked_at
