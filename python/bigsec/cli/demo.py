"""`bigsec demo`: a day of an invented data centre, scanned for real."""

from __future__ import annotations

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
from bigsec.cli.output import Format
from bigsec.cli.ruleset import load_rules
from bigsec.cli.scan import inputs_of, scan_and_show
from bigsec.cli.scanning import Plan
from bigsec.cli.serve import announce, server_type
from bigsec.cli.span import zone
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text
from bigsec.collect import find_inputs
from bigsec.errors import FormatError, MissingExtraError

OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="DIR", envvar="BIGSEC_DEMO_DIR", help=text("demo.output")
    ),
]
NoServeOption = Annotated[bool, typer.Option("--no-serve", help=text("demo.no_serve"))]
PurgeOption = Annotated[bool, typer.Option("--purge", help=text("demo.purge"))]


def demo(
    output: OutputOption = None,
    no_serve: NoServeOption = False,
    purge: PurgeOption = False,
    form: FormatOption = None,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Show what bigsec does."""
    from bigsec.demo import place

    talk = Talk.of(form, json, color, quiet=quiet)
    zone(timezone)
    folder = place.default_folder() if output is None else Path(output)
    try:
        if purge:
            return _purge(folder, talk)
        logs = place.prepare(folder)
    except place.NotDemoError as error:
        raise _not_demo(folder) from error
    ended = _scan(logs, folder, talk, timezone)
    if ended is not Exit.DONE:
        return ended
    # Whoever asks for a form to be read by a program wants it to end.
    if no_serve or json or form is not None:
        talk.say(text("demo.next", folder=folder))
        return Exit.DONE
    return _serve(folder, talk, timezone)


def _purge(folder: Path, talk: Talk) -> Exit:
    from bigsec.demo import place

    gone = place.purge(folder)
    talk.say(text("demo.purged" if gone else "demo.nothing", folder=folder))
    return Exit.DONE


def _not_demo(folder: Path) -> FormatError:
    return wrong_usage(text("demo.not_demo", folder=folder), text("demo.not_demo_mend"))


def _scan(logs: Path, folder: Path, talk: Talk, timezone: str) -> Exit:
    from bigsec.demo import generate

    with Stop() as stop:
        generate(logs, datetime.now(UTC))
        talk.say(text("demo.what"))
        found = find_inputs([str(logs)])
        # The clocks of the invented devices run in UTC, wherever the reader is.
        plan = Plan(inputs=inputs_of([str(logs)], found, stop), rules=load_rules([]))
        done = scan_and_show(
            plan, talk, zone(timezone), output=str(folder), signals=False, stop=stop
        )
    if not talk.quiet:
        account.show(done, talk.err)
    return Exit.INTERRUPTED if done.interrupted else Exit.DONE


def _serve(folder: Path, talk: Talk, timezone: str) -> Exit:
    """Serve the pages until Ctrl-C, or say how to get them."""
    try:
        server = server_type()(str(folder), host="127.0.0.1", port=0, timezone=timezone)
    except MissingExtraError as error:
        talk.show(error.problems)
        talk.say(text("demo.next", folder=folder))
        return Exit.DONE
    if talk.form is Format.TABLE:
        announce(server, talk)
    else:
        # Data alone goes to stdout.
        talk.say(f"{text('serve.open')} {server.link}")
    server.run()
    return Exit.DONE
