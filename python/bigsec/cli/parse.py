"""`bigsec parse`: log files in, events out."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli import account
from bigsec.cli.account import Account
from bigsec.cli.event_writer import open_writer
from bigsec.cli.exits import Exit
from bigsec.cli.explanation import explain
from bigsec.cli.options import (
    ColorOption,
    InputFormatOption,
    JsonOption,
    PathsArgument,
    QuietOption,
    StrictOption,
    VerboseOption,
    ZoneOption,
)
from bigsec.cli.scan import inputs_of
from bigsec.cli.span import zone
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, is_terminal
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text
from bigsec.collect import find_inputs

if TYPE_CHECKING:
    from bigsec._core import EventReader
    from bigsec.cli.event_writer import EventWriter
    from bigsec.cli.progress import Progress


class To(StrEnum):
    """The form of the events."""

    NDJSON = "ndjson"
    PARQUET = "parquet"
    ARROW = "arrow"


ToOption = Annotated[To, typer.Option("--to", "-t", metavar="FORMAT", help=text("parse.to"))]
FileOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help=text("parse.output"))
]
ExplainOption = Annotated[bool, typer.Option("--explain", help=text("parse.explain"))]
KeepRawOption = Annotated[bool, typer.Option("--keep-raw", help=text("parse.keep_raw"))]


def parse(
    paths: PathsArgument,
    to: ToOption = To.NDJSON,
    output: FileOption = None,
    explain_first: ExplainOption = False,
    keep_raw: KeepRawOption = False,
    json: JsonOption = False,
    input_format: InputFormatOption = None,
    timezone: ZoneOption = "UTC",
    strict: StrictOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Read logs into events."""
    talk = Talk.of(None, json, color, quiet=quiet, verbose=verbose)
    zone(timezone)
    if json and to is not To.NDJSON:
        raise wrong_usage(text("parse.json_and_to", to=to))
    found = find_inputs(path for path in paths if path != "-")
    talk.show(found.problems)
    broken = any(one.code != "BS1107" for one in found.problems)
    with Stop() as stop:
        inputs = inputs_of(paths, found, stop)
        if not inputs:
            return Exit.BAD_INPUT
        if explain_first:
            explain(inputs, talk, format=input_format, timezone=timezone)
            return Exit.BAD_INPUT if broken else Exit.DONE
        if to is not To.NDJSON and output is None and is_terminal(sys.stdout):
            raise wrong_usage(text("parse.binary", to=to), text("parse.binary_mend"))
        reader = _reader(inputs, format=input_format, timezone=timezone, keep_raw=keep_raw)
        began = time.monotonic()
        with open_writer(to, output, reader, inputs=found.inputs) as writer:
            _copy(reader, writer, talk.progress(beside_data=output is None), stop)
    done = Account(
        ledgers=reader.ledgers,
        elapsed_s=time.monotonic() - began,
        hidden=found.hidden,
        interrupted=stop.requested,
    )
    talk.show(done.problems(every=verbose))
    if not quiet:
        account.show(done, talk.err)
    if done.interrupted:
        return Exit.INTERRUPTED
    if broken or done.has_broken_input:
        return Exit.BAD_INPUT
    return Exit.PARTIAL if strict and done.is_partial else Exit.DONE


def _reader(
    inputs: list[object], *, format: str | None, timezone: str, keep_raw: bool
) -> EventReader:
    from bigsec import EventReader, default_packs

    return EventReader(
        inputs,  # type: ignore[arg-type]
        default_packs(),
        format=format,
        timezone=timezone,
        keep_raw=keep_raw,
    )


def _copy(reader: EventReader, writer: EventWriter, progress: Progress, stop: Stop) -> None:
    """Hand batches on until the end, or until the user wants no more."""
    for batch in reader:
        writer.write(batch)
        progress.update(*reader.progress())
        if stop.requested:
            break
    progress.clear()
