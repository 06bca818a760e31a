"""`bigsec evidence`: single records with their proofs, and the keys that sign."""

from __future__ import annotations

import base64
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.options import ColorOption, JsonOption, ZoneOption
from bigsec.cli.output import Format, rows
from bigsec.cli.span import zone
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.timing import shown
from bigsec.cli.usage import wrong_usage
from bigsec.cli.verify import log_folder
from bigsec.cli.wording import text

app = typer.Typer(cls=HelpfulGroup, help=text("evidence.help"), rich_markup_mode=None)

LOG_DEFAULT = "bigsec-data"

LogOption = Annotated[
    str, typer.Option("--log", metavar="DIR", envvar="BIGSEC_LOG", help=text("evidence.log"))
]
ReferenceArgument = Annotated[
    str, typer.Argument(metavar="EVENT_ID", help=text("evidence.reference"), show_default=False)
]
ReferencesArgument = Annotated[
    list[str], typer.Argument(metavar="EVENT_ID", help=text("evidence.reference"))
]
RawOption = Annotated[bool, typer.Option("--raw", help=text("evidence.raw"))]
OutputOption = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help=text("evidence.output"))
]
KeyFileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help=text("evidence.key_file"), show_default=False)
]
NewKeyArgument = Annotated[
    str, typer.Argument(metavar="NEW", help=text("evidence.new_key"), show_default=False)
]
KeyNameOption = Annotated[
    str, typer.Option("--name", metavar="NAME", help=text("evidence.key_name"))
]
EndArgument = Annotated[
    int, typer.Argument(metavar="END", min=1, help=text("evidence.end"), show_default=False)
]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help=text("evidence.reason"))
]


def show(
    reference: ReferenceArgument,
    log: LogOption = LOG_DEFAULT,
    raw: RawOption = False,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    color: ColorOption = Color.AUTO,
) -> int:
    """Show one record and what proves it."""
    from bigsec._core import EvidenceLog

    talk = Talk.of(None, json, color)
    local = zone(timezone)
    found = EvidenceLog(log_folder(log)).show(reference)
    if raw:
        sys.stdout.buffer.write(found["raw"])
        return Exit.DONE
    if talk.form is not Format.TABLE:
        writer = rows(Format.NDJSON, ())
        writer.write(_for_programs(found))
        writer.close()
        return Exit.DONE
    moment = datetime.fromtimestamp(found["received_us"] / 1e6, UTC)
    lines = (
        ("event", found["event_id"]),
        ("sequence", f"{found['sequence']:,}"),
        ("source", visible(found["source"]) + _peer(found)),
        ("received", shown(moment, local)),
        ("leaf", _hex(found["leaf"])),
        ("root", text("evidence.root_told", root=_hex(found["root"]), size=f"{found['size']:,}")),
        ("path", text("evidence.path_told", count=len(found["path"]))),
    )
    from rich.text import Text

    for key, told in lines:
        line = Text().append(f"{text(f'evidence.{key}')}  ", style="bold").append(told)
        talk.out.print(line, soft_wrap=True)
    signed = text("evidence.signed") if found["checkpoint"] else text("evidence.unsigned")
    talk.out.print(signed, soft_wrap=True)
    talk.out.print(Text(visible(found["raw"].decode("utf-8", "backslashreplace"))), soft_wrap=True)
    return Exit.DONE


def export(
    references: ReferencesArgument,
    log: LogOption = LOG_DEFAULT,
    output: OutputOption = None,
    color: ColorOption = Color.AUTO,
) -> int:
    """Write records and their proofs for a third party."""
    from bigsec._core import EvidenceLog

    bundle = EvidenceLog(log_folder(log)).export(references)
    if output is None:
        typer.echo(bundle)
        return Exit.DONE
    path = Path(output)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(bundle + "\n")
    except FileExistsError:
        raise wrong_usage(text("evidence.exists", path=visible(output))) from None
    except OSError as error:
        reason = error.strerror or str(error)
        told = text("parse.no_write", path=visible(output), reason=reason)
        raise wrong_usage(told) from None
    Talk(Format.TABLE, color).say(text("evidence.exported", count=len(references)))
    return Exit.DONE


def keygen(path: KeyFileArgument, name: KeyNameOption = "bigsec") -> int:
    """Make a signing key; its public part goes to stdout."""
    from bigsec._core import generate_key

    if Path(path).exists():
        raise wrong_usage(text("evidence.exists", path=visible(path)))
    typer.echo(generate_key(path, name))
    typer.echo(text("evidence.keep_key", path=visible(path)), err=True)
    return Exit.DONE


def rotate(path: KeyFileArgument, new: NewKeyArgument, log: LogOption = LOG_DEFAULT) -> int:
    """Let a new key follow an old one."""
    from bigsec._core import rotate_key

    typer.echo(rotate_key(log_folder(log), path, new))
    typer.echo(text("evidence.rotated", path=visible(new)), err=True)
    return Exit.DONE


def approve(
    path: KeyFileArgument, end: EndArgument, reason: ReasonOption, log: LogOption = LOG_DEFAULT
) -> int:
    """Approve that records are deleted before their time."""
    from bigsec._core import approve_deletion

    typer.echo(approve_deletion(log_folder(log), path, end, reason), nl=False)
    typer.echo(text("evidence.approved"), err=True)
    return Exit.DONE


def _peer(found: dict[str, Any]) -> str:
    return f"  ← {found['peer']}" if found["peer"] else ""


def _hex(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _for_programs(found: dict[str, Any]) -> dict[str, Any]:
    """Bytes as base64, hashes as hexadecimal digits."""
    row = dict(found)
    for name in ("raw", "record"):
        row[name] = base64.b64encode(found[name]).decode()
    row["leaf"], row["root"] = _hex(found["leaf"]), _hex(found["root"])
    row["path"] = [_hex(one) for one in found["path"]]
    return row
