"""`bigsec rules test`: rules against records that each must match, and such that it must not.

The cases of a rule file `name.yml` stand in a folder `name` beside it, or below `--cases`: every
record of `match.*` must match, none of `near_miss.*`. Where the file has correlations, `match.*`
must give one of their signals, and `near_miss.*` none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows
from bigsec.cli.problems import is_error
from bigsec.cli.rules import RulePathsArgument
from bigsec.cli.ruleset import load_rules
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.wording import text
from bigsec.collect import find_inputs
from bigsec.errors import RuleError

if TYPE_CHECKING:
    from bigsec._core import Rules
    from bigsec.errors import Problem

COLUMNS = ("rule", "title", "case", "expected", "records", "wrong")
CasesOption = Annotated[
    str | None, typer.Option("--cases", metavar="DIR", help=text("rules.cases"))
]
Expected = Literal["match", "near_miss"]
KINDS: dict[Expected, str] = {"match": "rules.wrong_match", "near_miss": "rules.wrong_near_miss"}
# Of a record that went wrong so many characters are shown.
_SHOWN = 160


@dataclass(slots=True)
class Tried:
    """One file of cases: how many records it has, and those that went otherwise than expected."""

    rule: Path
    title: str
    case: Path
    expected: Expected
    records: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """For programs."""
        wrong = [{"record": number, "text": record} for number, record in self.wrong]
        return {
            "rule": str(self.rule),
            "title": self.title,
            "case": str(self.case),
            "expected": self.expected,
            "records": self.records,
            "wrong": wrong,
        }


@dataclass(slots=True)
class Outcome:
    """What came of all rule files."""

    tried: list[Tried] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    without: int = 0


def try_cases(
    paths: RulePathsArgument = None,
    cases: CasesOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Test rules."""
    talk = Talk.of(form, json, color, quiet=quiet)
    outcome = run(paths or [], None if cases is None else Path(cases))
    talk.show(outcome.problems)
    if talk.form is Format.TABLE:
        _table(outcome.tried, talk)
    else:
        writer = rows(talk.form, COLUMNS)
        for one in outcome.tried:
            writer.write(one.row())
        writer.close()
    wrong = [one for one in outcome.tried if one.wrong]
    talk.say(
        text(
            "rules.tested",
            rules=f"{len({one.rule for one in outcome.tried}):,}",
            records=f"{sum(one.records for one in outcome.tried):,}",
            wrong=f"{sum(len(one.wrong) for one in wrong):,}",
            without=f"{outcome.without:,}",
        )
    )
    if outcome.problems or not outcome.tried:
        return Exit.BAD_INPUT
    return Exit.FINDINGS if wrong else Exit.DONE


def run(paths: Sequence[str], cases: Path | None) -> Outcome:
    """Try every rule file that has cases."""
    from bigsec import default_rules

    outcome = Outcome()
    for root in map(Path, paths or [str(default_rules())]):
        for rule in _rule_files(root):
            found = list(_case_files(rule, root, cases))
            outcome.without += not found
            if found:
                _try(rule, found, outcome)
    return outcome


def _try(rule: Path, found: list[tuple[Expected, Path]], outcome: Outcome) -> None:
    try:
        rules = load_rules([str(rule)], status=["all"])
    except RuleError as error:
        outcome.problems.extend(error.problems)
        return
    outcome.problems.extend(one for one in rules.problems if is_error(one))
    outcome.tried.extend(_tried(rules, rule, case, expected) for expected, case in found)


def _rule_files(root: Path) -> Iterator[Path]:
    found = (Path(one.path) for one in find_inputs([str(root)]).inputs)
    rules = (path for path in found if path.suffix.lower() in {".yml", ".yaml"})
    yield from sorted(path for path in rules if path.name != "pack.yaml")


def _case_files(rule: Path, root: Path, cases: Path | None) -> Iterator[tuple[Expected, Path]]:
    """The cases of a rule file, those below `cases` in a folder of its name or of its path."""
    below = rule.with_suffix("")
    folders = [below]
    if cases is not None:
        inside = below.relative_to(root) if root.is_dir() else Path(below.name)
        folders = [cases / inside, cases / below.name]
    for folder in dict.fromkeys(folders):
        for expected in KINDS:
            for path in sorted(folder.glob(f"{expected}.*")):
                yield expected, path


def _tried(rules: Rules, rule: Path, case: Path, expected: Expected) -> Tried:
    from bigsec import read

    events = [
        (event["event_id"], event.get("raw_data") or "")
        for batch in read(case, keep_raw=True)
        for event in batch.to_pylist()
    ]
    # Rules of words look into the text.
    signals = rules.match(read(case, keep_raw=True)).to_pylist()
    matched = {event_id for signal in signals for event_id in signal["event_ids"]}
    correlations = {one.id for one in rules.rules if one.is_correlation}
    tried = Tried(rule, rules.rules[0].title, case, expected, len(events))
    if correlations:
        is_given = any(signal["rule_id"] in correlations for signal in signals)
        if is_given != (expected == "match"):
            tried.wrong = [(number, raw) for number, (_, raw) in enumerate(events, 1)]
        return tried
    tried.wrong = [
        (number, raw)
        for number, (event_id, raw) in enumerate(events, 1)
        if (event_id in matched) != (expected == "match")
    ]
    return tried


def _table(tried: Sequence[Tried], talk: Talk) -> None:
    from rich.text import Text

    for one in tried:
        if not one.wrong:
            continue
        told = text(KINDS[one.expected], title=visible(one.title))
        talk.out.print(Text(told, style="bold"), soft_wrap=True)
        for number, record in one.wrong:
            place = f"  {visible(str(one.case))}:{number}  "
            talk.out.print(
                Text(place, style="dim").append(visible(record[:_SHOWN])), soft_wrap=True
            )
