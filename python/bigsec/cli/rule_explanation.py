"""`bigsec rules explain`: why a rule matches an event, or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    InputFormatOption,
    JsonOption,
    RulesOption,
    ZoneOption,
)
from bigsec.cli.output import Format, rows
from bigsec.cli.ruleset import load_rules
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from rich.tree import Tree

    from bigsec._core import Rules

COLUMNS = ("event_id", "holds", "question", "line", "found", "parts")

RuleArgument = Annotated[
    str, typer.Argument(metavar="RULE", help=text("rules.explained_rule"), show_default=False)
]
FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help=text("rules.explained_file"), show_default=False)
]
EventOption = Annotated[
    str | None, typer.Option("--event", metavar="EVENT_ID", help=text("rules.explained_event"))
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1_000, help=text("rules.limit"))]


def explain(
    rule: RuleArgument,
    file: FileArgument,
    rules: RulesOption = None,
    event: EventOption = None,
    limit: LimitOption = 1,
    input_format: InputFormatOption = None,
    tz: ZoneOption = "UTC",
    form: FormatOption = None,
    json: JsonOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Explain a rule on the events of a file."""
    import bigsec
    from bigsec.errors import NotFoundError

    talk = Talk.of(form, json, color)
    loaded = load_rules(rules or [], status=["all"])
    reader = bigsec.read(file, format=input_format, timezone=tz, keep_raw=True)
    told = loaded.explain(_id_of(rule, loaded), reader, event_id=event, limit=limit)
    for ledger in reader.ledgers:
        talk.show(ledger.problems)
    if not told:
        message = text("rules.no_event", file=visible(file))
        raise NotFoundError("BS3106", "store.no_such_thing", message)
    if talk.form is Format.TABLE:
        for one in told:
            talk.out.print(_tree(one))
    else:
        writer = rows(talk.form, COLUMNS)
        for one in told:
            writer.write(one)
        writer.close()
    return Exit.DONE


def _id_of(named: str, rules: Rules) -> str:
    """The id of a rule that is named by its id or its title."""
    wanted = named.casefold()
    for rule in rules.rules:
        if wanted in (rule.id, rule.title.casefold()):
            return rule.id
    return named


def _tree(told: dict[str, Any]) -> Tree:
    from rich.tree import Tree

    root = Tree(_line(told), guide_style="dim")
    _grow(root, told["parts"])
    return root


def _grow(tree: Tree, parts: list[dict[str, Any]]) -> None:
    for part in parts:
        _grow(tree.add(_line(part)), part["parts"])


def _line(told: dict[str, Any]) -> Any:
    from rich.text import Text

    mark, style = ("✓", "green") if told["holds"] else ("✗", "red")
    line = Text().append(f"{mark} ", style=style).append(visible(told["question"]))
    if told["found"]:
        found = " | ".join(visible(one) for one in told["found"])
        line.append(f"  {found}", style="dim")
    return line
