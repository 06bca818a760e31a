"""`bigsec status` and `bigsec top`: how the running daemon is."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from bigsec.cli.configuration import ConfigOption, SetOption, load_config
from bigsec.cli.exits import Exit
from bigsec.cli.options import ColorOption, FormatOption, JsonOption
from bigsec.cli.output import Format, rows
from bigsec.cli.status_view import source_row, view
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.wording import text

COLUMNS = ("source", "records", "rate", "unparsed", "connections", "heard", "drops", "errors")

OnceOption = Annotated[bool, typer.Option("--once", help=text("top.once"))]
EveryOption = Annotated[
    float, typer.Option("--every", metavar="SECONDS", min=0.2, max=60, help=text("top.every"))
]


def status(
    config: ConfigOption = None,
    sets: SetOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Show how the daemon is; exit 4 where something ails it."""
    from bigsec.collect.asking import ask_status

    talk = Talk.of(form, json, color)
    found = ask_status(load_config(config, sets).settings.admin.listen)
    if talk.form is Format.TABLE:
        talk.out.print(view(found))
    elif talk.form is Format.CSV:
        _write(found, None, talk)
    else:
        writer = rows(talk.form, ())
        writer.write(found)
        writer.close()
    return Exit.DONE if found["health"]["state"] == "ok" else Exit.PARTIAL


def top(
    config: ConfigOption = None,
    sets: SetOption = None,
    once: OnceOption = False,
    every: EveryOption = 1.0,
    form: FormatOption = None,
    json: JsonOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Watch the sources, with their rates."""
    from bigsec.collect.asking import ask_status

    talk = Talk.of(form, json, color)
    listen = load_config(config, sets).settings.admin.listen
    before = ask_status(listen)
    with Stop() as stop:
        if once or talk.form is not Format.TABLE:
            return _plainly(before, listen, talk, every, stop, once=once)
        from rich.live import Live

        with Live(view(before, {}), console=talk.out, screen=True, auto_refresh=False) as live:
            while _wait(every, stop):
                after = ask_status(listen)
                live.update(view(after, rates(before, after)), refresh=True)
                before = after
    return Exit.DONE


def _plainly(
    before: dict[str, Any], listen: str, talk: Talk, every: float, stop: Stop, *, once: bool
) -> int:
    """Row by row, for programs; or one look."""
    from bigsec.collect.asking import ask_status

    while _wait(every, stop):
        after = ask_status(listen)
        found = rates(before, after)
        if talk.form is Format.TABLE:
            talk.out.print(view(after, found))
        else:
            _write(after, found, talk)
        if once:
            break
        before = after
    return Exit.DONE


def rates(before: dict[str, Any], after: dict[str, Any]) -> dict[str, float]:
    """Records a second by source, between two looks."""
    span_s = (after["now_us"] - before["now_us"]) / 1e6
    found = {}
    for name, source in after["sources"].items():
        earlier = before["sources"].get(name)
        if span_s <= 0 or earlier is None or not source["meters"] or not earlier["meters"]:
            continue
        grown = source["meters"]["records"] - earlier["meters"]["records"]
        found[name] = max(0, grown) / span_s
    return found


def _write(status: dict[str, Any], found: dict[str, float] | None, talk: Talk) -> None:
    writer = rows(talk.form, COLUMNS)
    for name, source in sorted(status["sources"].items()):
        writer.write(source_row(name, source, status["now_us"], found))
    writer.close()


def _wait(seconds: float, stop: Stop) -> bool:
    """False where a stop was asked for meanwhile."""
    until = time.monotonic() + seconds
    while not stop.requested and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))
    return not stop.requested
