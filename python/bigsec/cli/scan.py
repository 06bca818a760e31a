"""`bigsec scan`: log files in, incidents out."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli import account
from bigsec.cli.exits import Exit
from bigsec.cli.incident_view import COLUMNS, flat, show_list
from bigsec.cli.levels import LEVELS, at_least
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    IndicatorsOption,
    InputFormatOption,
    JsonOption,
    MinLevelOption,
    PathsArgument,
    QuietOption,
    RulesOption,
    SinceOption,
    StatusOption,
    StrictOption,
    UntilOption,
    VerboseOption,
    ZoneOption,
)
from bigsec.cli.output import Format, rows
from bigsec.cli.problems import is_error
from bigsec.cli.ruleset import load_rules
from bigsec.cli.scanning import Destination, Plan, evidence_folder, rules_left_out, run
from bigsec.cli.signal_view import SIGNAL_COLUMNS, signal_line
from bigsec.cli.span import moment_us, zone
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.usage import check_choice
from bigsec.cli.wording import text
from bigsec.collect import FoundInputs, StandardInput, find_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from bigsec._core import Rules
    from bigsec.cli.account import Account
    from bigsec.detect import Incident
    from bigsec.store import Store

# What a terminal shows of a long list; the whole is one command away.
TABLE_ROWS_MAX = 20
PAGE = 200

OutputOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="DIR", help=text("scan.output"))
]
NoRawOption = Annotated[bool, typer.Option("--no-raw", help=text("scan.no_raw"))]
SignalsOption = Annotated[bool, typer.Option("--signals", help=text("scan.signals"))]
FailOnOption = Annotated[
    str | None, typer.Option("--fail-on", metavar="LEVEL", help=text("scan.fail_on"))
]


def scan(
    paths: PathsArgument,
    rules: RulesOption = None,
    indicators: IndicatorsOption = None,
    output: OutputOption = None,
    no_raw: NoRawOption = False,
    signals: SignalsOption = False,
    form: FormatOption = None,
    json: JsonOption = False,
    input_format: InputFormatOption = None,
    timezone: ZoneOption = "UTC",
    since: SinceOption = None,
    until: UntilOption = None,
    min_level: MinLevelOption = None,
    status: StatusOption = None,
    fail_on: FailOnOption = None,
    strict: StrictOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Scan logs."""
    talk = Talk.of(form, json, color, quiet=quiet, verbose=verbose)
    if fail_on is not None:
        check_choice("--fail-on", fail_on, LEVELS)
    local, now = zone(timezone), datetime.now(UTC)
    since_us = moment_us(since, now=now, within=local) if since else None
    until_us = moment_us(until, now=now, within=local) if until else None
    loaded = load_rules(rules or [], status=status, min_level=min_level, indicators=indicators)
    found = find_inputs((path for path in paths if path != "-"), leave_out=output)
    # A rule that loads with a warning works; thousands of rules may bring hundreds of them.
    of_rules = [one for one in loaded.problems if verbose or is_error(one)]
    talk.show([*of_rules, *found.problems])
    with Stop() as stop:
        plan = Plan(
            inputs=inputs_of(paths, found, stop),
            rules=loaded,
            format=input_format,
            timezone=timezone,
            since_us=since_us,
            until_us=until_us,
            evidence=None if output is None else evidence_folder(output),
            keep_raw=not no_raw,
        )
        if not plan.inputs:
            return Exit.BAD_INPUT
        done = scan_and_show(plan, talk, local, output=output, signals=signals, stop=stop)
    done.hidden = found.hidden
    talk.show(done.problems(every=verbose))
    if not quiet:
        account.show(done, talk.err)
    broken = done.has_broken_input or any(one.code != "BS1107" for one in found.problems)
    return ended(done, loaded, fail_on=fail_on, strict=strict, broken=broken)


def inputs_of(paths: list[str], found: FoundInputs, stop: Stop) -> list[Any]:
    """What the core reads: the files found, and standard input where `-` was named."""
    inputs: list[Any] = [one.path for one in found.inputs]
    if "-" in paths:
        inputs.append(("stdin", StandardInput(stop)))
    return inputs


def scan_and_show(
    plan: Plan, talk: Talk, local: tzinfo, *, output: str | None, signals: bool, stop: Stop
) -> Account:
    """Run the scan and write its result to stdout."""
    progress = talk.progress()
    with Destination(output) as destination:
        if not signals:
            done = run(plan, destination.store, progress=progress, stop=stop)
            # The result stands before it is shown: a reader that goes away takes nothing with it.
            write_incidents(destination.settle(), talk, local, folder=output)
            return done
        with SignalSink(talk, local, must_go_on=output is not None) as sink:
            done = run(plan, destination.store, progress=progress, stop=stop, on_signal=sink)
            destination.settle()
    if output is None:
        done.recorded = None  # nobody will see these incidents
    return done


class SignalSink:
    """Where signals go, one by one, as they are found.

    must_go_on: a reader that goes away ends the output, not the scan that is also being kept; the
    BrokenPipeError comes at the end.
    """

    def __init__(self, talk: Talk, local: tzinfo, *, must_go_on: bool) -> None:
        self._talk = talk
        self._local = local
        self._must_go_on = must_go_on
        self._rows = None if talk.form is Format.TABLE else rows(talk.form, SIGNAL_COLUMNS)
        self._gone: BrokenPipeError | None = None

    def __call__(self, signal: dict[str, Any]) -> None:
        """Write one signal, now: somebody may be watching."""
        if self._gone is not None:
            return
        try:
            if self._rows is None:
                self._talk.out.print(signal_line(signal, self._local), soft_wrap=True)
            else:
                self._rows.write(signal)
            sys.stdout.flush()
        except BrokenPipeError as error:
            if not self._must_go_on:
                raise
            self._gone = error

    def __enter__(self) -> SignalSink:
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the output, unless something else went wrong."""
        if kind is not None:
            return
        if self._gone is not None:
            raise self._gone
        if self._rows is not None:
            self._rows.close()


def write_incidents(store: Store, talk: Talk, local: tzinfo, *, folder: str | None) -> None:
    """The incidents of a store: a table of the first, or every one whole."""
    from bigsec.detect import get_incident, list_incidents

    if talk.form is Format.TABLE:
        page = list_incidents(store, limit=TABLE_ROWS_MAX)
        if page.incidents:
            show_list(page.incidents, local, talk.out)
        else:
            talk.say(text("scan.none"))
        if (more := page.total - len(page.incidents)) > 0:
            where = text("scan.more_in", folder=folder) if folder else text("scan.more_with")
            talk.say(text("scan.more", count=f"{more:,}", where=where))
        return
    writer = rows(talk.form, COLUMNS)
    for incident in every_incident(store):
        if talk.form is Format.CSV:
            writer.write(flat(incident))
        else:
            writer.write(get_incident(store, incident.incident_id).to_dict())
    writer.close()


def every_incident(store: Store, **options: Any) -> Iterator[Incident]:
    """All incidents, page by page."""
    from bigsec.detect import list_incidents

    after = None
    while True:
        page = list_incidents(store, limit=PAGE, after=after, **options)
        yield from page.incidents
        after = page.next
        if after is None:
            return


def ended(done: Account, rules: Rules, *, fail_on: str | None, strict: bool, broken: bool) -> Exit:
    """The exit code: what the user did, then what was found, then what went wrong."""
    if done.interrupted:
        return Exit.INTERRUPTED
    worst = [matched.level for matched in done.matched.values()]
    if fail_on is not None and any(at_least(level, fail_on) for level in worst):
        return Exit.FINDINGS
    if broken or (strict and rules_left_out(rules)):
        return Exit.BAD_INPUT
    if strict and done.is_partial:
        return Exit.PARTIAL
    return Exit.DONE
