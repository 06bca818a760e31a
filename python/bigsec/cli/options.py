"""The options that several commands share, declared once."""

from __future__ import annotations

from typing import Annotated

import typer

from bigsec.cli.output import Format
from bigsec.cli.terminal import Color
from bigsec.cli.wording import text

STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")

PathsArgument = Annotated[
    list[str], typer.Argument(metavar="PATH", help=text("option.paths"), show_default=False)
]
FormatOption = Annotated[
    Format | None,
    typer.Option("--format", "-f", metavar="FORMAT", help=text("option.format")),
]
JsonOption = Annotated[bool, typer.Option("--json", help=text("option.json"))]
ColorOption = Annotated[
    Color, typer.Option("--color", metavar="WHEN", help=text("option.color"), show_default=False)
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help=text("option.quiet"))]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help=text("option.verbose"))]
RulesOption = Annotated[
    list[str] | None,
    typer.Option("--rules", "-r", metavar="PATH", help=text("option.rules")),
]
IndicatorsOption = Annotated[
    list[str] | None,
    typer.Option("--indicators", metavar="FILE", help=text("option.indicators")),
]
StatusOption = Annotated[
    list[str] | None, typer.Option("--status", metavar="STATUS", help=text("option.status"))
]
MinLevelOption = Annotated[
    str | None, typer.Option("--min-level", metavar="LEVEL", help=text("option.min_level"))
]
InputFormatOption = Annotated[
    str | None, typer.Option("--input-format", metavar="NAME", help=text("option.input_format"))
]
ZoneOption = Annotated[
    str, typer.Option("--tz", metavar="ZONE", envvar="BIGSEC_TZ", help=text("option.tz"))
]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help=text("option.since"))
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help=text("option.until"))
]
StrictOption = Annotated[bool, typer.Option("--strict", help=text("option.strict"))]
StoreOption = Annotated[
    str,
    typer.Option("--store", metavar="DIR", envvar="BIGSEC_STORE", help=text("option.store")),
]
STORE_DEFAULT = "bigsec-data"
