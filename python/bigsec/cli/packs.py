"""`bigsec packs`: the log formats that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.options import ColorOption, FormatOption, JsonOption
from bigsec.cli.output import Format, rows
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(cls=HelpfulGroup, help=text("packs.help"), rich_markup_mode=None)

COLUMNS = ("id", "title", "decoder", "about")

PackArgument = Annotated[
    str, typer.Argument(metavar="PACK", help=text("packs.pack"), show_default=False)
]


def list_packs(
    form: FormatOption = None, json: JsonOption = False, color: ColorOption = Color.AUTO
) -> int:
    """List parser packs."""
    from bigsec import default_packs

    talk = Talk.of(form, json, color)
    packs = default_packs()
    told = [packs.about(pack_id) for pack_id in packs.ids]
    if talk.form is Format.TABLE:
        _table(told, talk)
        return Exit.DONE
    writer = rows(talk.form, COLUMNS)
    for about in told:
        writer.write(about)
    writer.close()
    return Exit.DONE


def show(
    pack: PackArgument,
    form: FormatOption = None,
    json: JsonOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Show one parser pack."""
    from rich.text import Text

    from bigsec import default_packs

    talk = Talk.of(form, json, color)
    about = default_packs().about(pack)
    if talk.form is Format.TABLE:
        for name, value in about.items():
            line = Text(f"{name:<10}", style="bold").append(visible(value), style="not bold")
            talk.out.print(line, soft_wrap=True)
        return Exit.DONE
    writer = rows(talk.form, COLUMNS)
    writer.write(about)
    writer.close()
    return Exit.DONE


def _table(told: list[dict[str, str]], talk: Talk) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column(text("packs.id"), no_wrap=True)
    table.add_column(text("packs.decoder"), no_wrap=True)
    table.add_column(text("packs.title"), ratio=1)
    for about in told:
        table.add_row(*_cells(about))
    talk.out.print(table)


def _cells(about: Mapping[str, str]) -> list[str]:
    return [visible(about.get(name, "")) for name in ("id", "decoder", "title")]
