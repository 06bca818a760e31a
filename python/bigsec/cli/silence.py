"""`bigsec silence`: what nobody needs to be told of, for a while."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.options import (
    STORE_DEFAULT,
    ColorOption,
    FormatOption,
    JsonOption,
    QuietOption,
    StoreOption,
    ZoneOption,
)
from bigsec.cli.output import Format, rows
from bigsec.cli.span import moment_of, zone
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from datetime import tzinfo

    from bigsec.detect import Silence

app = typer.Typer(cls=HelpfulGroup, help=text("silence.help"), rich_markup_mode=None)

COLUMNS = ("silence_id", "owner", "reason", "starts", "ends", "rule_id", "entity", "source")

ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help=text("silence.reason"), show_default=False)
]
EndOption = Annotated[
    str, typer.Option("--until", metavar="TIME", help=text("silence.until"), show_default=False)
]
StartOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help=text("silence.since"))
]
OwnerOption = Annotated[
    str | None, typer.Option("--owner", metavar="NAME", help=text("silence.owner"))
]
RuleOption = Annotated[str | None, typer.Option("--rule", metavar="ID", help=text("silence.rule"))]
EntityOption = Annotated[
    str | None, typer.Option("--entity", metavar="VALUE", help=text("silence.entity"))
]
SourceOption = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help=text("silence.source"))
]
PreviewOption = Annotated[bool, typer.Option("--preview", help=text("silence.preview"))]
SilenceArgument = Annotated[
    str, typer.Argument(metavar="SILENCE", help=text("silence.reference"), show_default=False)
]


def add(
    reason: ReasonOption,
    until: EndOption,
    since: StartOption = None,
    owner: OwnerOption = None,
    rule: RuleOption = None,
    entity: EntityOption = None,
    source: SourceOption = None,
    only: PreviewOption = False,
    store: StoreOption = STORE_DEFAULT,
    form: FormatOption = None,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Make a silence, or tell what it would hide."""
    from bigsec.detect import Silence, add_silence, preview
    from bigsec.store import open_store

    talk, local = Talk.of(form, json, color, quiet=quiet), zone(timezone)
    starts = datetime.now(UTC) if since is None else moment_of(since, local)
    ends = moment_of(until, local)
    try:
        made = Silence(
            owner=owner or getpass.getuser(),
            reason=reason,
            starts=starts,
            ends=ends,
            rule_id=rule,
            entity=entity,
            source=source,
        )
    except ValueError as error:
        raise wrong_usage(str(error), text("silence.mend")) from error
    with open_store(store) as opened:
        hidden = preview(opened, made)
    if not only:
        made = add_silence(store, made)
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, (*COLUMNS, "hides"))
        writer.write(made.to_dict() | {"hides": hidden.to_dict()})
        writer.close()
    elif not only:
        talk.out.print(_line(made, local), soft_wrap=True)
    told = {"signals": f"{hidden.signals:,}", "incidents": f"{hidden.incidents:,}"}
    talk.say(text("silence.would" if only else "silence.hides", **told))
    if hidden.numbers:
        more = "" if hidden.incidents <= len(hidden.numbers) else " …"
        talk.say(f"  {', '.join(hidden.numbers)}{more}")
    return Exit.DONE


def list_silences(
    store: StoreOption = STORE_DEFAULT,
    form: FormatOption = None,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """List silences, those that are over included."""
    from bigsec.detect import list_silences as stored
    from bigsec.store import open_store

    talk = Talk.of(form, json, color, quiet=quiet)
    with open_store(store) as opened:
        found = stored(opened)
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, COLUMNS)
        for silence in found:
            writer.write(silence.to_dict())
        writer.close()
        return Exit.DONE
    for silence in found:
        talk.out.print(_line(silence, zone(timezone)), soft_wrap=True)
    if not found:
        talk.say(text("silence.none"))
    return Exit.DONE


def end(
    reference: SilenceArgument,
    store: StoreOption = STORE_DEFAULT,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """End a silence now."""
    from bigsec.detect import end_silence

    talk = Talk(Format.TABLE, color, quiet)
    ended = end_silence(store, reference)
    talk.say(text("silence.ended", id=ended.silence_id))
    return Exit.DONE


def _line(silence: Silence, local: tzinfo) -> str:
    """One silence, in a line."""
    from bigsec.cli.timing import span

    named = (("rule", silence.rule_id), ("entity", silence.entity), ("source", silence.source))
    what = " · ".join(f"{text(f'silence.{name}_is')} {visible(is_)}" for name, is_ in named if is_)
    state = text("silence.holds" if silence.ends > datetime.now(UTC) else "silence.over")
    return (
        f"{silence.silence_id}  {state}  {span(silence.starts, silence.ends, local)}  {what}  "
        f"{visible(silence.owner)}: {visible(silence.reason)}"
    )
