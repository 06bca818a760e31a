"""How the faults of inputs, rules and packs are shown: kind, place, line at fault, mend.

All faults are shown at once, in order of file and line, and never more than `SHOWN_MAX` of them,
so that a folder of ten thousand broken files does not bury the summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bigsec.cli.terminal import visible
from bigsec.cli.wording import text, text_or
from bigsec.errors import BigsecError, Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SHOWN_MAX = 50
# Characters of a line at fault that are shown; the rest is told by an ellipsis.
_EXCERPT_MAX = 100
# Says what the faults of single rules come to.
NO_RULE = "BS2112"
REFERENCE = "docs/reference/errors.md"
# Nothing is lost and nothing was left out: these are shown as warnings and fail nothing by
# themselves. Every other kind is an error.
WARNINGS = frozenset(
    {
        "BS1001",  # a record that nothing could read: kept with its text
        "BS1002",
        "BS1003",
        "BS1004",
        "BS1005",
        "BS1006",
        "BS1105",  # a record cut into several
        "BS1106",  # an empty file
        "BS1107",  # a link back to a folder that is read anyway
        "BS2301",  # a row of a feed that is no indicator: the others count
        "BS2302",
        "BS2113",  # a rule tried on more events than it needs
    }
)


def is_error(problem: Problem) -> bool:
    """Whether the fault cost something: an input, a rule, a pack."""
    return problem.code not in WARNINGS


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """The faults by file, line and column."""
    return sorted(problems, key=lambda p: (p.file, p.line, p.column, p.code))


def to_object(problem: Problem) -> dict[str, Any]:
    """The fault for programs."""
    return {
        "code": problem.code,
        "name": problem.name,
        "severity": "error" if is_error(problem) else "warning",
        "message": problem.message,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "mend": problem.mend,
        "doc": f"{REFERENCE}#{problem.code.lower()}",
    }


def show(problems: Sequence[Problem], console: Console, *, shown_max: int = SHOWN_MAX) -> None:
    """Print the faults, how many more there are, and last what follows from them."""
    single = [problem for problem in in_order(problems) if problem.code != NO_RULE]
    for problem in single[:shown_max]:
        console.print(render(problem), soft_wrap=True)
    if (more := len(single) - shown_max) > 0:
        console.print(text("problem.more", count=f"{more:,}"), style="bold")
    for problem in [problem for problem in problems if problem.code == NO_RULE][-1:]:
        console.print(render(problem), soft_wrap=True)


def show_error(error: BigsecError, console: Console) -> None:
    """Print a failed operation: its single faults where it has any, else its own message."""
    whole = Problem(code=error.code, name=error.name, message=error.message)
    show(error.problems or (whole,), console)


def render(problem: Problem) -> Text:
    """One fault as a person reads it; colour is added, never needed."""
    from rich.text import Text

    error = is_error(problem)
    color = "red" if error else "yellow"
    out = Text()
    kind = text("problem.error" if error else "problem.warning")
    out.append(f"{kind}[{problem.code}]", style=f"bold {color}")
    out.append(text("problem.colon"))
    out.append(_message(problem), style="bold")
    if problem.file:
        place = visible(problem.file)
        if problem.line:
            place += f":{problem.line}:{problem.column}" if problem.column else f":{problem.line}"
        out.append("\n  ┌ ", style="blue")
        out.append(place)
    if problem.line and problem.excerpt.strip():
        _excerpt(out, problem, color)
    if problem.mend:
        out.append(f"\n{text('problem.help')}", style="bold cyan")
        out.append(visible(problem.mend))
    return out


def _message(problem: Problem) -> str:
    """The message, led by the kind's name where the user's language is not the message's own."""
    message = visible(problem.message)
    kind = text_or(f"code.{problem.code}", "")
    lead = text("problem.kind_lead", kind=kind) if kind else ""
    return lead + message


def _excerpt(out: Text, problem: Problem, color: str) -> None:
    """The line at fault with a mark under what is wrong."""
    from rich.cells import cell_len

    number = str(problem.line)
    # A tab would be shown as four characters; one blank keeps the mark under its character.
    line = problem.excerpt.replace("\t", " ")
    start = problem.column - 1
    marked = bool(problem.column) and start <= len(line)
    shown, before = _window(line, start if marked else 0)
    out.append(f"\n{number}│ ", style="blue")
    out.append(before + shown)
    if marked:
        at_fault = visible(line[start : start + max(1, problem.length)])
        width = min(max(1, cell_len(at_fault)), max(1, cell_len(shown)))
        out.append("\n" + " " * len(number) + "│ ", style="blue")
        out.append(" " * cell_len(before))
        out.append("^" * width, style=f"bold {color}")


def _window(line: str, start: int) -> tuple[str, str]:
    """What stands at the fault and behind it, and what stands before: never more than a line."""
    before, shown = visible(line[:start]), visible(line[start:])
    if len(before) > _EXCERPT_MAX // 2:
        before = "…" + before[-(_EXCERPT_MAX // 2) :]
    room = _EXCERPT_MAX - len(before)
    return shown if len(shown) <= room else shown[:room] + "…", before
