"""`bigsec serve`: the API and the pages over a store."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.options import (
    STORE_DEFAULT,
    ColorOption,
    QuietOption,
    RulesOption,
    StoreOption,
    ZoneOption,
)
from bigsec.cli.output import Format
from bigsec.cli.span import zone
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.wording import text
from bigsec.errors import MissingExtraError, Problem

PORT = 8420

HostOption = Annotated[str, typer.Option("--host", metavar="ADDRESS", help=text("serve.host"))]
PortOption = Annotated[
    int, typer.Option("--port", metavar="PORT", min=0, max=65535, help=text("serve.port"))
]
ServedLakeOption = Annotated[
    str | None,
    typer.Option("--lake", metavar="DIR", envvar="BIGSEC_LAKE", help=text("serve.lake")),
]


def serve(
    store: StoreOption = STORE_DEFAULT,
    host: HostOption = "127.0.0.1",
    port: PortOption = PORT,
    rules: RulesOption = None,
    lake: ServedLakeOption = None,
    timezone: ZoneOption = "UTC",
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Serve the API and the pages."""
    zone(timezone)
    server = server_type()(
        store, host=host, port=port, rules=tuple(rules or ()), timezone=timezone, lake=lake
    )
    announce(server, Talk(Format.TABLE, color, quiet))
    server.run()
    return Exit.DONE


def announce(server: Any, talk: Talk) -> None:
    """Say where the pages are: the address on stdout, the rest as talk."""
    talk.say(text("serve.login") if server.needs_login else text("serve.open"))
    typer.echo(server.link)
    talk.say(text("serve.stop"))


def server_type() -> Any:
    """The class of servers, from the package that not everybody has. Raises MissingExtraError."""
    try:
        return importlib.import_module("bigsec_api.server").Server
    except ModuleNotFoundError as error:
        code, name, message = "BS4005", "usage.missing_extra", text("serve.missing")
        problem = Problem(code, name, message, mend="pip install bigsec-api")
        raise MissingExtraError(code, name, message, (problem,)) from error
