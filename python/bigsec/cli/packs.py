"""`bigsec packs`: the log formats that can be read."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows
from bigsec.cli.rules import write_faults
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text
from bigsec.collect import find_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(cls=HelpfulGroup, help=text("packs.help"), rich_markup_mode=None)

COLUMNS = ("id", "title", "decoder", "about")

PackArgument = Annotated[
    str, typer.Argument(metavar="PACK", help=text("packs.pack"), show_default=False)
]


FolderArgument = Annotated[
    Path | None,
    typer.Argument(metavar="FOLDER", help=text("packs.folder"), show_default=False),
]
NewPackArgument = Annotated[
    str, typer.Argument(metavar="PACK", help=text("packs.new_id"), show_default=False)
]
LinesArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help=text("packs.lines"), show_default=False)
]
ToOption = Annotated[
    Path, typer.Option("--to", metavar="FOLDER", help=text("packs.to"), show_default=False)
]
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


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


def try_samples(
    folder: FolderArgument = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Read the samples of packs and compare."""
    from bigsec import Packs, default_packs

    talk = Talk.of(form, json, color, quiet=quiet)
    packs = default_packs() if folder is None else Packs.load(str(folder))
    faults = packs.check()
    write_faults(faults, talk)
    told = {
        "packs": f"{len(packs):,}",
        "samples": f"{packs.samples:,}",
        "faults": f"{len(faults):,}",
    }
    talk.say(text("packs.tested", **told))
    return Exit.BAD_INPUT if faults else Exit.DONE


def new(
    pack: NewPackArgument,
    file: LinesArgument,
    to: ToOption = Path(),
    color: ColorOption = Color.AUTO,
) -> int:
    """Draft a pack from sample lines."""
    from bigsec import default_packs
    from bigsec.scaffold import LINES_MAX, draft

    talk = Talk.of(None, False, color)
    if not NAME.fullmatch(pack):
        raise wrong_usage(text("packs.bad_id", id=pack), text("packs.bad_id_mend"))
    path = to / f"{pack}.yaml"
    if path.exists():
        raise wrong_usage(text("packs.exists", path=path), text("packs.exists_mend"))
    if missing := find_inputs([str(file)]).problems:
        talk.show(missing)
        return Exit.BAD_INPUT
    with file.open("rb") as source:
        lines = [line.strip(b"\r\n") for line in islice(source, LINES_MAX)]
    made = draft(pack, [line for line in lines if line.strip()], default_packs())
    to.mkdir(parents=True, exist_ok=True)
    path.write_text(made.text, encoding="utf-8")
    talk.say(text("packs.made", path=path, decoder=made.decoder, read=made.read, lines=made.lines))
    for column, field in made.columns.items():
        talk.say(f"  {visible(column):<32} {visible(field)}")
    talk.say(text("packs.made_next", folder=to))
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
