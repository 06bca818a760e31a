"""`bigsec verify`: whether an evidence log is whole, chained and signed, and where it is not."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, is_terminal
from bigsec.cli.usage import wrong_usage
from bigsec.cli.verify_view import show
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

# A key or a checkpoint is a few hundred bytes; a history of keys a few thousand.
TEXT_BYTES_MAX = 1024 * 1024

# Of CSV: one row a finding.
COLUMNS = ("severity", "kind", "file", "offset", "first", "end", "what", "mend")

LogArgument = Annotated[
    str, typer.Argument(metavar="DIR", help=text("verify.log"), show_default=False)
]
KeyOption = Annotated[
    list[str] | None, typer.Option("--key", metavar="KEY|FILE", help=text("verify.key"))
]
ApproverOption = Annotated[
    list[str] | None, typer.Option("--approver", metavar="KEY|FILE", help=text("verify.approver"))
]
CheckpointOption = Annotated[
    list[str] | None, typer.Option("--checkpoint", metavar="FILE", help=text("verify.checkpoint"))
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help=text("verify.name"))]


def verify(
    log: LogArgument,
    key: KeyOption = None,
    approver: ApproverOption = None,
    checkpoint: CheckpointOption = None,
    name: NameOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Verify an evidence log, offline and without a database."""
    from bigsec._core import EvidenceLog

    talk = Talk.of(form, json, color, quiet=quiet)
    notes = [note for path in checkpoint or [] for note in read_notes(path)]
    report: dict[str, Any] = json_text.loads(
        EvidenceLog(log_folder(log)).verify(
            keys=[one for given in key or [] for one in read_keys(given)],
            approvers=[one for given in approver or [] for one in read_keys(given)],
            name=name,
            checkpoints=notes,
            progress=_progress(talk),
        )
    )
    if talk.form is Format.TABLE:
        show(report, log, talk.out, len(notes))
    else:
        writer = rows(talk.form, COLUMNS)
        for row in report["findings"] if talk.form is Format.CSV else [report]:
            writer.write(row)
        writer.close()
    return Exit.DONE if report["ok"] else Exit.TAMPERED


def log_folder(given: str) -> str:
    """The log's folder: as given, or the `log` or `evidence` below a data or output folder."""
    for below in ("log", "evidence"):
        path = Path(given) / below
        if not (Path(given) / "log.json").exists() and (path / "log.json").exists():
            return str(path)
    return given


def read_keys(given: str) -> list[str]:
    """Verifier keys: one as it is, or those of a file, one a line."""
    if "+" in given and not Path(given).exists():
        return [given]
    lines = [line.strip() for line in _read(given).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def read_notes(path: str) -> list[str]:
    """Signed notes of a file, as the log's own `checkpoints` and a keeper's have them."""
    notes: list[str] = []
    for block in _read(path).replace("\r\n", "\n").split("\n\n"):
        if not block.strip():
            continue
        # A note is a text, an empty line, and its signatures.
        if block.lstrip("\n").startswith("— ") and notes:
            notes[-1] += "\n\n" + block.strip("\n") + "\n"
        else:
            notes.append(block.strip("\n"))
    return notes


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(TEXT_BYTES_MAX).decode("utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise wrong_usage(text("verify.no_file", path=path, reason=reason)) from error
    except UnicodeDecodeError as error:
        raise wrong_usage(text("verify.no_file", path=path, reason="UTF-8")) from error


def _progress(talk: Talk) -> Callable[[int, int], None] | None:
    if talk.quiet or not is_terminal(sys.stderr):
        return None
    return _Progress(talk.err)


class _Progress:
    """One line on a terminal, gone when it is done."""

    def __init__(self, err: Console) -> None:
        self._err = err

    def __call__(self, done: int, total: int) -> None:
        """Show how many segments are done."""
        end = "\r\x1b[2K" if done >= total else ""
        told = text("verify.progress", done=done, total=total)
        self._err.file.write(f"\r\x1b[2K{told}{end}")
        self._err.file.flush()
