"""`bigsec query`: events of a lake by a filter; how many over time; the most frequent values."""

from __future__ import annotations

import sys
from datetime import tzinfo
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.event_table import event_table
from bigsec.cli.exits import Exit
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    JsonOption,
    QuietOption,
    SinceOption,
    UntilOption,
    ZoneOption,
)
from bigsec.cli.output import Format, rows
from bigsec.cli.span import between, seconds_of, zone
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text
from bigsec.saying import said

if TYPE_CHECKING:
    from bigsec.lake import Bucket, Lake

FilterArgument = Annotated[
    str, typer.Argument(metavar="FILTER", help=text("query.filter"), show_default=False)
]
LakeOption = Annotated[
    str,
    typer.Option("--lake", metavar="DIR", envvar="BIGSEC_LAKE", help=text("query.lake")),
]
LAKE_DEFAULT = "bigsec-lake"
LimitOption = Annotated[
    int, typer.Option("--limit", "-n", metavar="COUNT", min=0, help=text("query.limit"))
]
CountOption = Annotated[bool, typer.Option("--count", help=text("query.count"))]
TopOption = Annotated[str | None, typer.Option("--top", metavar="COLUMN", help=text("query.top"))]
EveryOption = Annotated[
    str | None, typer.Option("--histogram", metavar="SPAN", help=text("query.histogram"))
]

BAR = 40


def query(
    filter: FilterArgument = "",
    lake: LakeOption = LAKE_DEFAULT,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: LimitOption = 100,
    count: CountOption = False,
    top: TopOption = None,
    histogram: EveryOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Search the events of a lake."""
    from bigsec.lake import Lake

    if sum((count, top is not None, histogram is not None)) > 1:
        raise wrong_usage(text("query.one"), text("query.one_mend"))
    talk, local = Talk.of(form, json, color, quiet=quiet), zone(timezone)
    span = between(since, until, local)
    opened = Lake(lake)
    if count:
        _write(talk, ("events",), [{"events": opened.count(filter, **span)}])
    elif top is not None:
        found = opened.top(top, filter, limit=limit or 1_000_000, **span)
        _write(
            talk,
            ("value", "events"),
            [{"value": one.plain, "events": one.count} for one in found],
        )
    elif histogram is not None:
        buckets = opened.histogram(filter, seconds=seconds_of(histogram), **span)
        _histogram(talk, buckets, local)
    else:
        _events(talk, opened, filter, limit, span, local)
    return Exit.DONE


def _events(
    talk: Talk, lake: Lake, asked: str, limit: int, span: dict[str, Any], local: tzinfo
) -> None:
    from bigsec import Batch

    found = lake.query(asked, limit=limit, **span) if limit else lake.export(asked, **span)
    batches = (Batch(batch) for batch in found)
    if talk.form is Format.NDJSON:
        for batch in batches:
            sys.stdout.buffer.write(batch.to_ndjson())
        sys.stdout.buffer.flush()
        return
    if talk.form is not Format.TABLE:
        writer = rows(
            talk.form,
            ("time_effective", "event_id", "source", "src_ip", "dst_ip", "user_name", "said"),
        )
        for batch in batches:
            for event in batch.to_pylist():
                writer.write(event if talk.form is Format.JSON else event | {"said": said(event)})
        writer.close()
        return
    shown = [event for batch in batches for event in batch.to_pylist()]
    if shown:
        talk.out.print(event_table(shown, local))
    if len(shown) == limit:
        talk.say(text("query.more", shown=f"{limit:,}", all=f"{lake.count(asked, **span):,}"))
    elif not shown:
        talk.say(text("query.none"))


def _histogram(talk: Talk, buckets: list[Bucket], local: tzinfo) -> None:
    if talk.form is not Format.TABLE:
        found = [{"start": one.start.isoformat(), "events": one.count} for one in buckets]
        _write(talk, ("start", "events"), found)
        return
    most = max((one.count for one in buckets), default=1)
    for one in buckets:
        bar = "█" * max(1, round(BAR * one.count / most))
        start = one.start.astimezone(local).strftime("%Y-%m-%d %H:%M:%S")
        talk.out.print(f"{start}  {one.count:>12,}  {bar}", highlight=False, soft_wrap=True)
    if not buckets:
        talk.say(text("query.none"))


def _write(talk: Talk, columns: tuple[str, ...], found: list[dict[str, Any]]) -> None:
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, columns)
        for row in found:
            writer.write(row)
        writer.close()
        return
    for row in found:
        *rest, events = row.values()
        told = "  ".join("-" if value is None else visible(str(value)) for value in rest)
        talk.out.print(f"{events:>12,}  {told}".rstrip(), highlight=False, soft_wrap=True)
