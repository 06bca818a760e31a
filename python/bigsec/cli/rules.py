"""`bigsec rules`: check rule files, list what they hold."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli import problems
from bigsec.cli.credit import credit
from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.levels import badge
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    JsonOption,
    MinLevelOption,
    QuietOption,
    StatusOption,
)
from bigsec.cli.output import Format, rows
from bigsec.cli.reports import Report, report
from bigsec.cli.ruleset import load_rules
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.wording import text
from bigsec.collect import find_inputs
from bigsec.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bigsec._core import Rule
    from bigsec.errors import Problem

app = typer.Typer(cls=HelpfulGroup, help=text("rules.help"), rich_markup_mode=None)

FAULT_COLUMNS = ("code", "name", "severity", "message", "file", "line", "column", "mend", "doc")
RULE_COLUMNS = (
    "id",
    "title",
    "level",
    "status",
    "author",
    "license",
    "logsource",
    "tags",
    "path",
)

RulePathsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="PATH", help=text("rules.paths"), show_default=False)
]


ReportOption = Annotated[
    Report | None, typer.Option("--report", metavar="FORM", help=text("rules.report"))
]


def check(
    paths: RulePathsArgument = None,
    form_of_report: ReportOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Check rule files."""
    talk = Talk.of(form, json, color, quiet=quiet)
    began = time.monotonic()
    missing = find_inputs(paths or []).problems
    loaded = files = skipped = 0
    faults: list[Problem] = []
    try:
        rules = load_rules(paths or [], status=["all"])
        loaded, files, skipped = len(rules), rules.files, rules.skipped
        faults = list(rules.problems)
    except RuleError as error:
        # The loader and who called it both say what the single faults come to.
        what_follows = [one for one in error.problems if one.code == problems.NO_RULE][-1:]
        single = [one for one in error.problems if one.code != problems.NO_RULE]
        faults = single + what_follows
        files = len({one.file for one in single if one.file})
    elapsed = time.monotonic() - began
    named = {one.file for one in faults}
    faults += [one for one in missing if one.file not in named]
    if form_of_report is not None:
        sys.stdout.buffer.write(report(form_of_report, faults, files))
    else:
        write_faults(faults, talk)
    errors = sum(1 for one in faults if problems.is_error(one))
    talk.say(
        text(
            "rules.checked",
            files=f"{files:,}",
            loaded=f"{loaded + skipped:,}",
            errors=f"{errors:,}",
            warnings=f"{len(faults) - errors:,}",
            elapsed=f"{elapsed:.2f}",
        )
    )
    return Exit.BAD_INPUT if errors else Exit.DONE


def write_faults(faults: Sequence[Problem], talk: Talk) -> None:
    """The faults are this command's data, so they go to stdout."""
    if talk.form is Format.TABLE:
        problems.show(faults, talk.out)
        return
    writer = rows(talk.form, FAULT_COLUMNS)
    for fault in problems.in_order(faults):
        writer.write(problems.to_object(fault))
    writer.close()


def list_rules(
    paths: RulePathsArgument = None,
    min_level: MinLevelOption = None,
    status: StatusOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """List rules."""
    talk = Talk.of(form, json, color, quiet=quiet)
    rules = load_rules(paths or [], status=status, min_level=min_level)
    talk.show(rules.problems)
    if talk.form is Format.TABLE:
        _table(rules.rules, talk)
    else:
        writer = rows(talk.form, RULE_COLUMNS)
        for rule in rules.rules:
            writer.write(_row(rule))
        writer.close()
    talk.say(text("rules.listed", count=f"{len(rules):,}", skipped=f"{rules.skipped:,}"))
    return Exit.DONE


def _row(rule: Rule) -> dict[str, Any]:
    return {
        **{name: getattr(rule, name) for name in RULE_COLUMNS},
        "description": rule.description,
        "references": rule.references,
        "falsepositives": rule.falsepositives,
    }


def _table(rules: Sequence[Rule], talk: Talk) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column(text("rules.level"), no_wrap=True)
    table.add_column(text("rules.title"), ratio=1)
    table.add_column(text("rules.status"), no_wrap=True)
    table.add_column(text("rules.credit"), overflow="fold", max_width=30)
    for rule in rules:
        title = Text(visible(rule.title)).append(f"\n{visible(rule.id)}", style="dim")
        table.add_row(
            badge(rule.level),
            title,
            visible(rule.status),
            Text(credit(rule.author, rule.license), style="dim"),
        )
    talk.out.print(table)
