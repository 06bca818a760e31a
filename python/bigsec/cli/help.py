"""The help pages: short, aligned by the width of the characters, in the user's language."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Sequence
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from bigsec.cli.wording import text

# Longer lines are hard to read; a terminal that is wider is left empty on the right.
WIDTH_MAX = 96
_INDENT = "  "
# Options whose names are longer get their text on the next line.
_NAME_MAX = 30


class HelpfulCommand(TyperCommand):
    """A command with our help page."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        formatter.write(page(self, ctx))


class HelpfulGroup(TyperGroup):
    """A group of commands with our help page."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        formatter.write(page(self, ctx))


def page(command: TyperCommand | TyperGroup, ctx: Any) -> str:
    """The whole help page of a command."""
    width = max(40, min(shutil.get_terminal_size((WIDTH_MAX, 24)).columns, WIDTH_MAX))
    parameters = [p for p in command.get_params(ctx) if not getattr(p, "hidden", False)]
    arguments = [p for p in parameters if isinstance(p, TyperArgument)]
    options = [p for p in parameters if isinstance(p, TyperOption)]
    parts = [f"{text('help.usage')} {_usage(command, ctx, arguments)}"]
    if command.help:
        parts.append(_paragraphs(inspect.cleandoc(command.help), width))
    sections = (
        (text("help.commands"), _commands(command)),
        (text("help.arguments"), [(_argument_name(p), _argument_help(p)) for p in arguments]),
        (text("help.options"), [(_option_name(p), _option_help(p)) for p in options]),
    )
    parts += [_section(title, records, width) for title, records in sections if records]
    if command.epilog:
        parts.append(_paragraphs(inspect.cleandoc(command.epilog), width))
    return "\n\n".join(parts) + "\n"


def _usage(command: Any, ctx: Any, arguments: Sequence[TyperArgument]) -> str:
    pieces = [ctx.command_path, text("help.options_place")]
    pieces += [_argument_name(p) if p.required else f"[{_argument_name(p)}]" for p in arguments]
    if isinstance(command, TyperGroup):
        pieces.append(text("help.command_place"))
    return " ".join(pieces)


def _commands(command: Any) -> list[tuple[str, str]]:
    if not isinstance(command, TyperGroup):
        return []
    shown = [(name, one) for name, one in command.commands.items() if not one.hidden]
    return [(name, (one.help or "").split("\n")[0]) for name, one in shown]


def _argument_name(parameter: TyperArgument) -> str:
    name = parameter.metavar or parameter.name.upper()
    return f"{name}…" if parameter.nargs != 1 else name


def _argument_help(parameter: TyperArgument) -> str:
    return parameter.help or ""


def _option_name(parameter: TyperOption) -> str:
    names = ", ".join(sorted(parameter.opts, key=len))
    if parameter.is_flag:
        return names
    return f"{names} {parameter.metavar or parameter.name.upper()}"


def _option_help(parameter: TyperOption) -> str:
    if "--help" in parameter.opts:
        return text("option.help")
    told = parameter.help or ""
    if parameter.multiple:
        told = f"{told} {text('help.again')}"
    if isinstance(parameter.envvar, str):
        told = f"{told} {text('help.environment', name=parameter.envvar)}"
    default = parameter.default
    if isinstance(default, str) and parameter.show_default:
        told = f"{told} {text('help.default', value=str(default))}"
    return told


def _section(title: str, records: Sequence[tuple[str, str]], width: int) -> str:
    """Names on the left, texts on the right, wrapped."""
    from rich.cells import cell_len

    longest = max(cell_len(name) for name, _ in records)
    left = min(longest, _NAME_MAX, width // 2 - 4)
    lines = [title]
    for name, told in records:
        wrapped = wrap(told, width - left - 2 * len(_INDENT))
        if cell_len(name) > left:
            lines.append(_INDENT + name)
            name = ""
        for index, line in enumerate(wrapped or [""]):
            head = name if index == 0 else ""
            pad = " " * (left - cell_len(head))
            lines.append(f"{_INDENT}{head}{pad}{_INDENT}{line}".rstrip())
    return "\n".join(lines)


def _paragraphs(told: str, width: int) -> str:
    """Paragraphs wrapped; one whose lines are indented is kept as it is."""
    shown = []
    for paragraph in told.split("\n\n"):
        if paragraph.startswith(" "):
            shown.append(paragraph)
        else:
            shown.append("\n".join(wrap(" ".join(paragraph.split("\n")), width)))
    return "\n\n".join(shown)


def wrap(told: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken at blanks, and between Han characters."""
    from rich.console import Console
    from rich.text import Text

    wide = Console(width=max(width, 8), file=None, legacy_windows=False, force_terminal=False)
    return [line.plain.rstrip() for line in Text(told).wrap(wide, max(width, 8), overflow="fold")]
