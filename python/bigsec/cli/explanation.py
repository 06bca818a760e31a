"""`bigsec parse --explain`: which pack reads a record, and where each field goes."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bigsec.cli.output import Format, rows
from bigsec.cli.terminal import visible
from bigsec.cli.wording import text, text_or

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table
    from rich.text import Text

    from bigsec.cli.talk import Talk

COLUMNS = (
    "input",
    "outcome",
    "parser",
    "decoder",
    "reason",
    "why",
    "time",
    "fields",
    "derived",
    "raw",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Values are shown to recognise them; the whole stands in the record above.
_VALUE_MAX = 60
# Of a stream no more than this is looked at for its first record.
_RECORD_MAX = 1024 * 1024


def explain(inputs: Iterable[Any], talk: Talk, *, format: str | None, timezone: str) -> None:
    """Explain the first record of each input."""
    writer = None if talk.form is Format.TABLE else rows(talk.form, COLUMNS)
    for one in inputs:
        name, raw = _first(one)
        if raw is None:
            talk.say(text("explain.empty", name=visible(name)))
            continue
        told = _explained(raw, one, format=format, timezone=timezone)
        if writer is None:
            _show(name, raw, told, talk)
        else:
            writer.write({"input": name, **told, "raw": _decoded(raw)})
    if writer is not None:
        writer.close()


def _explained(raw: bytes, one: Any, *, format: str | None, timezone: str) -> dict[str, Any]:
    from bigsec import default_packs
    from bigsec._core import explain_record

    told = explain_record(
        raw, default_packs(), format=format, timezone=timezone, received_us=_received_us(one)
    )
    time_us = told.pop("time_us")
    moment = None if time_us is None else _EPOCH + timedelta(microseconds=time_us)
    return {**told, "time": moment and moment.isoformat()}


def _received_us(one: Any) -> int | None:
    """A file's time of change, from which a time without a year takes its year."""
    return os.stat(one).st_mtime_ns // 1000 if isinstance(one, str) else None


def _first(one: Any) -> tuple[str, bytes | None]:
    """The name of an input and its first record."""
    from bigsec._core import read_record

    if isinstance(one, str):
        return one, read_record(one, 0)
    name, stream = one
    held = b""
    while len(held) < _RECORD_MAX and (piece := stream.read(_RECORD_MAX - len(held))):
        held += piece
        if b"\n" in held.lstrip(b"\r\n"):
            break
    return name, next((line for line in held.splitlines() if line), None)


def _show(name: str, raw: bytes, told: dict[str, Any], talk: Talk) -> None:
    from rich.text import Text

    out = talk.out
    out.print(Text(visible(name), style="bold"), soft_wrap=True)
    out.print(Text("  " + visible(_decoded(raw))), soft_wrap=True)
    out.print(_verdict(told), soft_wrap=True)
    if told["why"]:
        out.print(Text("  " + visible(told["why"]), style="dim"), soft_wrap=True)
    if told["fields"] or told["derived"]:
        out.print(_table(told))
    out.print()


def _verdict(told: dict[str, Any]) -> Text:
    from rich.text import Text

    line = Text("  ")
    if reason := told["reason"]:
        line.append(text("explain.unparsed", reason=reason), style="yellow")
        line.append(f" {text_or(f'code.{reason}', '')}")
    elif told["outcome"] == "directive":
        line.append(text("explain.directive", decoder=told["decoder"]))
    else:
        line.append(text("explain.read_by", parser=told["parser"], decoder=told["decoder"]))
    if told["time"]:
        line.append(f"  {text('explain.time', time=told['time'])}")
    return line


def _table(told: dict[str, Any]) -> Table:
    """A row a field; then what the pack set itself."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for key in ("explain.name", "explain.value", "explain.column"):
        table.add_column(text(key), overflow="fold")
    for field in told["fields"]:
        column = visible(field["column"]) if field["column"] else Text("unmapped", style="dim")
        table.add_row(_field_name(field), _shortened(field["value"]), column)
    for column, value in told["derived"].items():
        table.add_row(Text(text("explain.derived"), style="dim"), _shortened(value), column)
    return table


def _field_name(field: dict[str, Any]) -> str:
    """The name that rules use, and the source's own where it is another."""
    name, source = visible(field["name"] or ""), visible(field["source"] or "")
    return name if source in {"", name} else text("explain.renamed", name=name, source=source)


def _shortened(value: str | None) -> str:
    shown = "" if value is None else visible(value)
    return shown if len(shown) <= _VALUE_MAX else shown[: _VALUE_MAX - 1] + "…"


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
