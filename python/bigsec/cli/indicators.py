"""`bigsec indicators`: check files of indicators, look things up in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli import problems
from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.levels import badge
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows
from bigsec.cli.rules import write_faults
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text
from bigsec.errors import IndicatorError

if TYPE_CHECKING:
    from bigsec.errors import Problem

app = typer.Typer(cls=HelpfulGroup, help=text("indicators.help"), rich_markup_mode=None)

COLUMNS = ("type", "value", "name", "level", "found", "source", "reference", "id")
# Says what the problems of the rows come to.
_NONE = "BS2303"

FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILE", help=text("indicators.files"), show_default=False)
]
TextsArgument = Annotated[
    list[str], typer.Argument(metavar="TEXT", help=text("indicators.text"), show_default=False)
]
InOption = Annotated[
    list[str] | None, typer.Option("--in", "-i", metavar="FILE", help=text("indicators.in"))
]


def check(
    files: FilesArgument,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Check files of indicators."""
    from bigsec import Indicators

    talk = Talk.of(form, json, color, quiet=quiet)
    counts: dict[str, int] = {}
    repeated = 0
    faults: list[Problem]
    try:
        loaded = Indicators.load(*files)
        counts, repeated, faults = loaded.counts, loaded.repeated, loaded.problems
    except IndicatorError as error:
        faults = [one for one in error.problems if one.code != _NONE]
    write_faults(faults, talk)
    talk.say(
        text(
            "indicators.checked",
            count=f"{sum(counts.values()):,}",
            files=f"{len(files):,}",
            kinds=", ".join(f"{kind} {count:,}" for kind, count in counts.items()) or "-",
            repeated=f"{repeated:,}",
            refused=f"{len(faults):,}",
        )
    )
    return Exit.BAD_INPUT if faults else Exit.DONE


def find(
    texts: TextsArgument,
    files: InOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Look up texts."""
    from bigsec import Indicators

    if not files:
        raise wrong_usage(text("indicators.which"), text("indicators.which_mend"))
    talk = Talk.of(form, json, color, quiet=quiet)
    known = Indicators.load(*files)
    # What is wrong with single rows, `check` says.
    talk.show([one for one in known.problems if problems.is_error(one)])
    found = [hit for one in texts for hit in known.find(one)]
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, COLUMNS)
        for hit in found:
            writer.write({name: hit[name] for name in COLUMNS})
        writer.close()
    elif found:
        _table(found, talk)
    else:
        talk.say(text("indicators.nothing"))
    return Exit.FINDINGS if found else Exit.DONE


def _table(found: list[dict[str, Any]], talk: Talk) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in ("level", "type", "value", "name", "found", "source"):
        table.add_column(text(f"indicators.{name}"), overflow="fold")
    for hit in found:
        cells = [visible(str(hit[name])) for name in ("type", "value", "name", "found", "source")]
        table.add_row(badge(hit["level"]), *cells)
    talk.out.print(table)
