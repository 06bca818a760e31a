"""`bigsec evaluate`: how much of a known attack is discovered, how soon, beside how much noise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows
from bigsec.cli.perceive import read_all
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from bigsec.detect.perceive import Evaluation

COLUMNS = (
    "alerts",
    "days",
    "incidents",
    "raised",
    "raised_a_day",
    "noise",
    "noise_a_day",
    "attacks",
    "attacks_found",
    "discovered",
    "found",
)

FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILE", help=text("evaluate.files"), show_default=False)
]
LabelOption = Annotated[str, typer.Option("--label", metavar="COLUMN", help=text("evaluate.label"))]
LeastOption = Annotated[
    float | None,
    typer.Option("--at-least", metavar="SHARE", min=0.0, max=1.0, help=text("evaluate.least")),
]


def evaluate(
    files: FilesArgument,
    label: LabelOption = "label",
    least: LeastOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Judge what is discovered of labelled alerts."""
    from bigsec.detect.perceive import Perceiver, read_labels
    from bigsec.detect.perceive import evaluate as judge

    talk = Talk.of(form, json, color, quiet=quiet)
    alerts, _, faults = read_all(files, talk)
    labels = (
        {}
        if faults
        else {
            alert_id: told
            for name in files
            for alert_id, told in read_labels(Path(name), label).items()
        }
    )
    perceiver = Perceiver()
    judged = judge([(alert, perceiver.take(alert)) for alert in sorted(alerts)], labels)
    if not judged.found and not faults:
        raise wrong_usage(text("evaluate.no_label", column=label), text("evaluate.mend"))
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, COLUMNS)
        writer.write(judged.to_dict())
        writer.close()
    else:
        _table(judged, talk)
    if faults:
        return Exit.BAD_INPUT
    return Exit.DONE if least is None or (judged.discovered or 0.0) >= least else Exit.FINDINGS


def _table(judged: Evaluation, talk: Talk) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in ("attack", "alerts", "gathered", "found", "minutes"):
        table.add_column(text(f"evaluate.{name}"), justify="left" if name == "attack" else "right")
    for one in judged.found:
        table.add_row(
            visible(one.label),
            f"{one.alerts:,}",
            f"{one.gathered:,}",
            ", ".join(map(str, one.incidents[:5])) or "-",
            "-" if one.minutes is None else f"{one.minutes:.1f}",
        )
    talk.out.print(table)
    told = judged.to_dict()
    share = "-" if judged.discovered is None else f"{judged.discovered:.0%}"
    shown = {name: f"{value:,}" for name, value in told.items() if isinstance(value, int | float)}
    talk.out.print(text("evaluate.summary", **{**shown, "discovered": share}), soft_wrap=True)
