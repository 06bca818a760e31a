"""A command line that cannot be understood, said as every other fault is said."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import typer

from bigsec.cli.wording import text
from bigsec.errors import FormatError, Problem

NUMBER, NAME = "BS4001", "usage"


def wrong_usage(message: str, mend: str = "") -> FormatError:
    """The exception of a usage fault that a command finds itself."""
    return FormatError(NUMBER, NAME, message, (Problem(NUMBER, NAME, message, mend=mend),))


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> str:
    """The value, where it is one of the choices. Raises FormatError naming the nearest."""
    if value in choices:
        return value
    near = get_close_matches(value.lower(), choices, n=1)
    mend = text("usage.mean", name=near[0]) if near else ""
    choice = text("usage.choices", choices=", ".join(choices))
    raise wrong_usage(text("usage.no_choice", option=option, value=value), mend or choice)


def problem_of(error: typer.TyperException) -> Problem:
    """A fault that the command-line parser found.

    The parser's own classes are told apart by what they carry, not by import: they are private.
    """
    ctx = getattr(error, "ctx", None)
    command = getattr(ctx, "command_path", "bigsec")
    mend = text("usage.see_help", command=f"{command} --help")
    message = error.message
    kind = type(error).__name__
    parameter: Any = getattr(error, "param", None)
    if kind == "NoSuchOption":
        option: str = getattr(error, "option_name", "")
        message = text("usage.no_option", option=option)
        near: list[str] = sorted(getattr(error, "possibilities", None) or [])
        mend = text("usage.mean", name=near[0]) if near else mend
    elif kind == "MissingParameter" and parameter is not None:
        message = text("usage.missing", name=_name(parameter))
    elif kind == "BadParameter" and parameter is not None:
        message = text("usage.bad_value", name=_name(parameter), reason=error.message)
    return Problem(NUMBER, NAME, message, mend=mend)


def unknown_command(given: str, known: list[str]) -> FormatError:
    """The exception of a command that does not exist."""
    near = get_close_matches(given, known, n=1)
    mend = (
        text("usage.mean", name=near[0]) if near else text("usage.commands", names=", ".join(known))
    )
    return wrong_usage(text("usage.no_command", name=given), mend)


def _name(parameter: Any) -> str:
    """The parameter as the help page names it."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar or parameter.name.upper())
