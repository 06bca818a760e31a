"""`bigsec token`: who may read through the API."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

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
)
from bigsec.cli.output import Format, rows
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text

app = typer.Typer(cls=HelpfulGroup, help=text("token.help"), rich_markup_mode=None)

COLUMNS = ("token_id", "name", "created", "expires", "revoked")
_LIFETIME = re.compile(r"([1-9][0-9]{0,5})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help=text("token.name"), show_default=False)
]
TokenArgument = Annotated[
    str, typer.Argument(metavar="TOKEN", help=text("token.reference"), show_default=False)
]
ExpiresOption = Annotated[
    str, typer.Option("--expires", metavar="SPAN", help=text("token.expires"))
]


def create(
    name: NameArgument,
    expires: ExpiresOption = "90d",
    store: StoreOption = STORE_DEFAULT,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Make a token and print it once."""
    from bigsec.store import create_token

    talk = Talk.of(form, json, color, quiet=quiet)
    lifetime = _lifetime(expires)
    try:
        made = create_token(store, name, lifetime=lifetime)
    except ValueError as error:
        raise wrong_usage(str(error)) from error
    if json or form is not None:
        writer = rows(talk.form, ("secret", *COLUMNS))
        writer.write({"secret": made.secret, **made.token.to_dict()})
        writer.close()
        return Exit.DONE
    typer.echo(made.secret)
    talk.say(text("token.made", id=made.token.token_id, expires=f"{made.token.expires:%Y-%m-%d}"))
    return Exit.DONE


def list_tokens(
    store: StoreOption = STORE_DEFAULT,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """List the tokens; their secrets are not kept."""
    from bigsec.store import list_tokens as stored
    from bigsec.store import open_store

    talk = Talk.of(form, json, color, quiet=quiet)
    with open_store(store) as opened:
        found = stored(opened)
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, COLUMNS)
        for token in found:
            writer.write(dict(token.to_dict()))
        writer.close()
        return Exit.DONE
    now = datetime.now(UTC)
    for token in found:
        state = "holds" if token.holds(now) else "expired" if token.revoked is None else "revoked"
        told = text(f"token.{state}", date=f"{token.revoked or token.expires:%Y-%m-%d}")
        talk.out.print(f"{token.token_id}  {visible(token.name)}  {told}", soft_wrap=True)
    if not found:
        talk.say(text("token.none"))
    return Exit.DONE


def revoke(
    reference: TokenArgument,
    store: StoreOption = STORE_DEFAULT,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Revoke a token."""
    from bigsec.store import revoke_token

    talk = Talk(Format.TABLE, color, quiet)
    ended = revoke_token(store, reference)
    talk.say(text("token.ended", count=len(ended)) if ended else text("token.ended_before"))
    return Exit.DONE


def _lifetime(given: str) -> timedelta:
    match = _LIFETIME.fullmatch(given)
    if match is None:
        raise wrong_usage(text("token.no_span", value=visible(given)), text("token.spans"))
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
