"""`bigsec rules backtest`: what rules would have found in the past, before they are let loose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.levels import LEVELS, badge
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    InputFormatOption,
    JsonOption,
    MinLevelOption,
    QuietOption,
    SinceOption,
    StatusOption,
    UntilOption,
    ZoneOption,
)
from bigsec.cli.output import Format, rows
from bigsec.cli.over import OverOption, found_over, is_broken
from bigsec.cli.problems import is_error
from bigsec.cli.rules import RulePathsArgument
from bigsec.cli.ruleset import load_rules
from bigsec.cli.scan import inputs_of
from bigsec.cli.span import moment_us, zone
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.verify import log_folder
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from bigsec._core import Rules
    from bigsec.collect import FoundInputs

COLUMNS = ("rule_id", "title", "level", "signals", "busiest_day", "first", "last", "entities")
# Of what a rule's signals are about so much is counted, and so much shown.
ENTITIES_MAX, ENTITIES_SHOWN = 10_000, 3

LogOption = Annotated[str | None, typer.Option("--log", metavar="DIR", help=text("rules.log"))]
MaxOption = Annotated[
    int | None, typer.Option("--max-per-day", metavar="N", min=0, help=text("rules.max_per_day"))
]


@dataclass(slots=True)
class Past:
    """What one rule would have found."""

    rule_id: str
    title: str
    level: str
    first: str = ""
    last: str = ""
    days: Counter[str] = field(default_factory=Counter)
    entities: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def signals(self) -> int:
        """How many."""
        return self.days.total()

    @property
    def busiest_day(self) -> int:
        """How many on the day with most."""
        return max(self.days.values(), default=0)

    def add(self, signal: Mapping[str, Any], local: tzinfo) -> None:
        """Count a signal."""
        time: str = signal["time"]
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)
        self.days[str(datetime.fromisoformat(time).astimezone(local).date())] += 1
        for entity in signal["entities"]:
            key = (entity["type"], entity["value"])
            if key in self.entities or len(self.entities) < ENTITIES_MAX:
                self.entities[key] += 1

    def row(self) -> dict[str, Any]:
        """For programs."""
        named = self.entities.most_common(ENTITIES_SHOWN)
        return {
            **{name: getattr(self, name) for name in COLUMNS[:-1]},
            "entities": [
                {"type": kind, "value": value, "signals": count} for (kind, value), count in named
            ],
        }


def backtest(
    paths: RulePathsArgument = None,
    over: OverOption = None,
    log: LogOption = None,
    max_per_day: MaxOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    input_format: InputFormatOption = None,
    timezone: ZoneOption = "UTC",
    since: SinceOption = None,
    until: UntilOption = None,
    min_level: MinLevelOption = None,
    status: StatusOption = None,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Try rules on the past."""
    talk = Talk.of(form, json, color, quiet=quiet)
    if (over is None) == (log is None):
        raise wrong_usage(text("rules.which_past"), text("rules.which_past_mend"))
    local, now = zone(timezone), datetime.now(UTC)
    spans = [moment_us(one, now=now, within=local) if one else None for one in (since, until)]
    loaded = load_rules(paths or [], status=status, min_level=min_level)
    talk.show([one for one in loaded.problems if is_error(one)])
    found: dict[str, Past] = {}
    inputs = found_over(over or [], talk)
    with Stop() as stop:
        signals = (
            _of_log(log, loaded, spans, stop)
            if log is not None
            else _of_files(over or [], inputs, loaded, talk, spans, input_format, timezone, stop)
        )
        for signal in signals:
            rule_id = signal["rule_id"]
            past = found.get(rule_id)
            if past is None:
                past = found[rule_id] = Past(rule_id, signal["rule_title"], signal["level"])
            past.add(signal, local)
    ordered = sorted(found.values(), key=lambda one: (LEVELS.index(one.level), -one.signals))
    _show(ordered, talk)
    total = sum(one.signals for one in ordered)
    silent = len(loaded) - len(ordered)
    talk.say(text("rules.backtested", signals=f"{total:,}", rules=len(ordered), silent=silent))
    if stop.requested:
        return Exit.INTERRUPTED
    floods = max_per_day is not None and any(one.busiest_day > max_per_day for one in ordered)
    if is_broken(inputs):
        return Exit.BAD_INPUT
    return Exit.FINDINGS if floods else Exit.DONE


def _of_files(
    over: list[str],
    found: FoundInputs,
    rules: Rules,
    talk: Talk,
    spans: list[int | None],
    input_format: str | None,
    timezone: str,
    stop: Stop,
) -> Iterator[dict[str, Any]]:
    from bigsec import Scanner, default_packs

    scanner = Scanner(
        inputs_of(over, found, stop),
        rules,
        default_packs(),
        format=input_format,
        timezone=timezone,
        since_us=spans[0],
        until_us=spans[1],
    )
    progress = talk.progress()
    for chunk in scanner:
        yield from chunk.signals.to_pylist()
        progress.update(*scanner.progress())
        if stop.requested:
            break
    progress.clear()


def _of_log(
    log: str, rules: Rules, spans: list[int | None], stop: Stop
) -> Iterator[dict[str, Any]]:
    from bigsec import default_packs
    from bigsec._core import EvidenceLog, LogEvents
    from bigsec.detect.moments import to_us

    folder = log_folder(log)
    until = EvidenceLog(folder).size
    events = LogEvents(folder, default_packs(), rules=rules, until=until)
    since_us, until_us = spans
    while not stop.requested and (chunk := events.next_chunk(1.0)) is not None:
        for signal in chunk.signals.to_pylist():
            time_us = to_us(datetime.fromisoformat(signal["time"]))
            if (since_us is None or time_us >= since_us) and (
                until_us is None or time_us < until_us
            ):
                yield signal


def _show(ordered: list[Past], talk: Talk) -> None:
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, COLUMNS)
        for one in ordered:
            writer.write(one.row())
        writer.close()
        return
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column(text("rules.level"), no_wrap=True)
    table.add_column(text("rules.title"), ratio=3)
    table.add_column(text("rules.signals"), justify="right", no_wrap=True)
    table.add_column(text("rules.busiest_day"), justify="right", no_wrap=True)
    table.add_column(text("rules.mostly"), ratio=2, overflow="fold")
    for one in ordered:
        named = [
            f"{count / one.signals:.0%} {kind} {visible(value)}"
            for (kind, value), count in one.entities.most_common(1)
        ]
        table.add_row(
            badge(one.level),
            visible(one.title),
            f"{one.signals:,}",
            f"{one.busiest_day:,}",
            "".join(named),
        )
    talk.out.print(table)
