"""`bigsec rules cost`: which rules take the time of matching."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.levels import badge
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    InputFormatOption,
    JsonOption,
    MinLevelOption,
    QuietOption,
    StatusOption,
    ZoneOption,
)
from bigsec.cli.output import Format, rows
from bigsec.cli.over import OverOption, batches_over, found_over, is_broken
from bigsec.cli.problems import is_error
from bigsec.cli.rules import RulePathsArgument
from bigsec.cli.ruleset import load_rules
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from bigsec._core import Rule

COLUMNS = ("rule_id", "title", "level", "asked", "matched", "microseconds", "share", "path")
TopOption = Annotated[
    int, typer.Option("--top", metavar="N", min=1, help=text("rules.top"), show_default=True)
]


def cost(
    paths: RulePathsArgument = None,
    over: OverOption = None,
    top: TopOption = 20,
    form: FormatOption = None,
    json: JsonOption = False,
    input_format: InputFormatOption = None,
    timezone: ZoneOption = "UTC",
    min_level: MinLevelOption = None,
    status: StatusOption = None,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Measure what each rule costs."""
    talk = Talk.of(form, json, color, quiet=quiet)
    if not over:
        raise wrong_usage(text("rules.what_over"), text("rules.what_over_mend"))
    loaded = load_rules(paths or [], status=status, min_level=min_level)
    talk.show([one for one in loaded.problems if is_error(one)])
    asked, matched, ns = Counter[str](), Counter[str](), Counter[str]()
    events = in_all = 0
    found_inputs = found_over(over, talk)
    with Stop() as stop:
        for batch in batches_over(
            over, found_inputs, talk, stop, form=input_format, timezone=timezone
        ):
            told = loaded.costs(batch)
            events += told["events"]
            in_all += told["ns"]
            for row in told["rules"]:
                asked[row["rule_id"]] += row["asked"]
                matched[row["rule_id"]] += row["matched"]
                ns[row["rule_id"]] += row["ns"]
    by_id = {rule.id: rule for rule in loaded.rules}
    found = [
        _row(by_id[rule_id], asked[rule_id], matched[rule_id], took, in_all)
        for rule_id, took in ns.most_common(top)
    ]
    if talk.form is Format.TABLE:
        _table(found, events, talk)
    else:
        writer = rows(talk.form, COLUMNS)
        for row in found:
            writer.write(row)
        writer.close()
    talk.say(
        text(
            "rules.cost_said",
            events=f"{events:,}",
            each=f"{in_all / 1000 / max(events, 1):.1f}",
            share=f"{ns.total() / max(in_all, 1):.0%}",
            asked=len(asked),
            silent=f"{len(loaded) - len(asked):,}",
        )
    )
    if stop.requested:
        return Exit.INTERRUPTED
    return Exit.BAD_INPUT if is_broken(found_inputs) else Exit.DONE


def _row(rule: Rule, asked: int, matched: int, ns: int, in_all: int) -> dict[str, Any]:
    return {
        "rule_id": rule.id,
        "title": rule.title,
        "level": rule.level,
        "asked": asked,
        "matched": matched,
        "microseconds": ns // 1000,
        "share": round(ns / max(in_all, 1), 4),
        "path": rule.path,
    }


def _table(found: list[dict[str, Any]], events: int, talk: Talk) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column(text("rules.level"), no_wrap=True)
    table.add_column(text("rules.title"), ratio=3)
    for name in ("rules.asked", "rules.matched", "rules.time_share"):
        table.add_column(text(name), justify="right", no_wrap=True)
    for row in found:
        table.add_row(
            badge(row["level"]),
            visible(row["title"]),
            f"{row['asked'] / max(events, 1):.1%}",
            f"{row['matched']:,}",
            f"{row['share']:.1%}",
        )
    talk.out.print(table)
