"""`bigsec demo`: a day of an invented data centre, scanned for real."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bigsec.cli import account
from bigsec.cli.exits import Exit
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    JsonOption,
    QuietOption,
    ZoneOption,
)
from bigsec.cli.ruleset import load_rules
from bigsec.cli.scan import inputs_of, scan_and_show
from bigsec.cli.scanning import Plan
from bigsec.cli.span import zone
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.wording import text
from bigsec.collect import find_inputs

OutputOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="DIR", help=text("scan.output"))
]


def demo(
    output: OutputOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Show what bigsec does."""
    from bigsec.demo import generate

    talk = Talk.of(form, json, color, quiet=quiet)
    local = zone(timezone)
    with tempfile.TemporaryDirectory(prefix="bigsec-demo-") as folder, Stop() as stop:
        generate(Path(folder), datetime.now(UTC))
        talk.say(text("demo.what"))
        found = find_inputs([folder])
        plan = Plan(
            inputs=inputs_of([folder], found, stop), rules=load_rules([]), timezone=timezone
        )
        done = scan_and_show(plan, talk, local, output=output, signals=False, stop=stop)
    if not quiet:
        account.show(done, talk.err)
    if done.interrupted:
        return Exit.INTERRUPTED
    talk.say(text("demo.next", folder=output) if output else text("demo.next_memory"))
    return Exit.DONE
