"""`bigsec lake`: what a lake holds, and filling one from an evidence log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli.configuration import ConfigOption
from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows
from bigsec.cli.query import LAKE_DEFAULT, LakeOption
from bigsec.cli.replay import log_of
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from rich.table import Table

    from bigsec.lake import LakeFile

app = typer.Typer(cls=HelpfulGroup, help=text("lake.help"), rich_markup_mode=None)

COLUMNS = ("day", "class_uid", "files", "events", "bytes")

LogArgument = Annotated[str | None, typer.Argument(metavar="DIR", help=text("replay.log"))]
_WAIT_S = 1.0


def fill(
    log: LogArgument = None,
    config: ConfigOption = None,
    lake: LakeOption = LAKE_DEFAULT,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Bring a lake to the end of an evidence log."""
    from bigsec import default_packs
    from bigsec._core import EvidenceLog, LogEvents
    from bigsec.lake import LakeWriter, Upkeep

    talk = Talk.of(None, False, color, quiet=quiet)
    folder, document = log_of(log, config)
    target = Path(lake)
    opened = EvidenceLog(folder)
    writer = LakeWriter(target, opened.id)
    until, taken = opened.size, 0
    events = LogEvents(
        folder, default_packs(), settings=document, position=writer.position, until=until
    )
    progress, begun = talk.progress(), max(writer.position, 0)
    while (chunk := events.next_chunk(_WAIT_S)) is not None:
        taken += 0 if chunk.every is None else len(chunk.every)
        writer.take(chunk.every, chunk.next)
        progress.update(chunk.next - begun, until - begun, folder)
    progress.clear()
    writer.seal()
    Upkeep(target).run()
    talk.say(text("lake.filled", events=f"{taken:,}", lake=str(target)))
    return Exit.DONE


def info(
    lake: LakeOption = LAKE_DEFAULT,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Tell what a lake holds, by day of receipt and class."""
    from bigsec.lake import Lake

    talk = Talk.of(form, json, color, quiet=quiet)
    lines = _lines(Lake(lake).files())
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, COLUMNS)
        for line in lines:
            writer.write(line)
        writer.close()
        return Exit.DONE
    if lines:
        talk.out.print(_table(lines))
    else:
        talk.say(text("query.none"))
    return Exit.DONE


def _table(lines: list[dict[str, object]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in COLUMNS:
        table.add_column(text(f"lake_column.{name}"), justify="left" if name == "day" else "right")
    for line in lines:
        day, class_uid, *numbers = line.values()
        table.add_row(str(day), str(class_uid), *(f"{number:,}" for number in numbers))
    return table


def _lines(files: list[LakeFile]) -> list[dict[str, object]]:
    found: dict[tuple[str, int], list[int]] = {}
    for file in files:
        counts = found.setdefault((file.day, file.class_uid), [0, 0, 0])
        for at, more in enumerate((1, file.rows, file.bytes)):
            counts[at] += more
    return [
        dict(zip(COLUMNS, (*key, *counts), strict=True)) for key, counts in sorted(found.items())
    ]
