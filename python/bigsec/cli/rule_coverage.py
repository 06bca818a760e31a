"""`bigsec rules coverage`: which techniques of ATT&CK the rules look for, and can see in data."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.levels import LEVELS
from bigsec.cli.options import (
    ColorOption,
    FormatOption,
    InputFormatOption,
    JsonOption,
    MinLevelOption,
    QuietOption,
    StatusOption,
    ZoneOption,
)
from bigsec.cli.output import Format, rows, to_json
from bigsec.cli.over import OverOption, found_over, is_broken
from bigsec.cli.problems import is_error
from bigsec.cli.rule_survey import Lack, survey_of
from bigsec.cli.rules import RulePathsArgument
from bigsec.cli.ruleset import load_rules
from bigsec.cli.stop import Stop
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from bigsec._core import Rule

COLUMNS = ("technique", "rules", "tactics", "levels", "titles", "fed", "lacking")
LayerOption = Annotated[bool, typer.Option("--layer", help=text("rules.layer"))]

_TECHNIQUE: Final = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)
_TACTIC: Final = re.compile(r"attack\.([a-z][a-z_-]+)", re.IGNORECASE)
# Of the titles of a technique's rules so many are shown in a comment of the layer.
_TITLES_MAX: Final = 20


@dataclass
class Covered:
    """What there is for one technique."""

    technique: str
    levels: Counter[str] = field(default_factory=Counter)
    tactics: set[str] = field(default_factory=set)
    titles: list[str] = field(default_factory=list)
    # Where data were looked at: the titles of rules that they do not feed, and what each lacks.
    lacking: list[tuple[str, Lack]] | None = None

    @property
    def fed(self) -> int | None:
        """How many of the rules the data looked at can feed."""
        return None if self.lacking is None else len(self.titles) - len(self.lacking)

    def row(self) -> dict[str, Any]:
        """For programs."""
        levels = {level: self.levels[level] for level in LEVELS if self.levels[level]}
        return {
            "technique": self.technique,
            "rules": len(self.titles),
            "tactics": sorted(self.tactics),
            "levels": levels,
            "titles": sorted(self.titles),
            "fed": self.fed,
            "lacking": None
            if self.lacking is None
            else [
                {"title": title, "events": lack.events, "missing": lack.missing}
                for title, lack in sorted(self.lacking, key=lambda one: one[0])
            ],
        }


def coverage(
    paths: RulePathsArgument = None,
    over: OverOption = None,
    layer: LayerOption = False,
    min_level: MinLevelOption = None,
    status: StatusOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    input_format: InputFormatOption = None,
    timezone: ZoneOption = "UTC",
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Show which techniques the rules look for."""
    talk = Talk.of(form, json, color, quiet=quiet)
    loaded = load_rules(paths or [], status=status, min_level=min_level)
    talk.show([one for one in loaded.problems if is_error(one)])
    found = found_over(over or [], talk)
    with Stop() as stop:
        lacks = survey_of(loaded, over, found, talk, stop, input_format, timezone) if over else None
    covered = covered_by(loaded.rules, lacks)
    named = sum(1 for rule in loaded.rules if techniques_of(rule))
    if layer:
        sys.stdout.buffer.write(to_json(navigator_layer(covered)) + b"\n")
    elif talk.form is Format.TABLE:
        _table(covered, talk)
    else:
        writer = rows(talk.form, COLUMNS)
        for one in covered:
            writer.write(one.row())
        writer.close()
    talk.say(
        text(
            "rules.covered",
            techniques=f"{len(covered):,}",
            rules=f"{named:,}",
            without=f"{len(loaded) - named:,}",
        )
    )
    if lacks is not None:
        fieldless = sum(1 for one in lacks.values() if one.events)
        talk.say(
            text(
                "rules.fed_said",
                fed=f"{len(loaded) - len(lacks):,}",
                eventless=f"{len(lacks) - fieldless:,}",
                fieldless=f"{fieldless:,}",
            )
        )
    if stop.requested:
        return Exit.INTERRUPTED
    return Exit.BAD_INPUT if is_broken(found) else Exit.DONE


def techniques_of(rule: Rule) -> list[str]:
    """The techniques that a rule's tags name, as in `T1059.001`."""
    found = (_TECHNIQUE.fullmatch(tag) for tag in rule.tags)
    return [match[1].upper() for match in found if match]


def covered_by(rules: Iterable[Rule], lacks: Mapping[str, Lack] | None = None) -> list[Covered]:
    """Every technique that a rule names, in order of its id; with what data lack for each rule."""
    found: dict[str, Covered] = {}
    for rule in rules:
        named = (_TACTIC.fullmatch(tag) for tag in rule.tags)
        tactics = {match[1].lower().replace("_", "-") for match in named if match}
        for technique in techniques_of(rule):
            one = found.setdefault(technique, Covered(technique))
            if lacks is not None:
                one.lacking = one.lacking or []
                if rule.id in lacks:
                    one.lacking.append((rule.title, lacks[rule.id]))
            one.levels[rule.level] += 1
            one.tactics |= tactics
            one.titles.append(rule.title)
    return [found[technique] for technique in sorted(found)]


def navigator_layer(covered: Iterable[Covered]) -> dict[str, Any]:
    """A layer of the ATT&CK Navigator, format 4.5: the score is the number of rules, or of those
    that the data looked at can feed.

    A technique that has sub-techniques is shown with them, since the rules stand there.
    """
    covered = list(covered)
    below: dict[str, int] = defaultdict(int)
    for one in covered:
        below[one.technique.split(".")[0]] += len(one.titles)
    techniques = [_of_layer(one) for one in covered]
    known = {one.technique for one in covered}
    for technique in sorted(below.keys() - known):
        techniques.append(
            {"techniqueID": technique, "score": 0, "enabled": True, "showSubtechniques": True}
        )
    return {
        "name": "bigsec",
        "versions": {"layer": "4.5", "navigator": "5.1.0"},
        "domain": "enterprise-attack",
        "description": f"{sum(len(one.titles) for one in covered)} rules",
        "techniques": techniques,
        "gradient": {
            "colors": ["#ffffff", "#2f6fde"],
            "minValue": 0,
            "maxValue": max([len(one.titles) for one in covered], default=1),
        },
        "hideDisabled": False,
        "sorting": 3,
    }


def _of_layer(one: Covered) -> dict[str, Any]:
    titles = sorted(one.titles)
    more = len(titles) - _TITLES_MAX
    shown = [*titles[:_TITLES_MAX], *([f"+ {more}"] if more > 0 else [])]
    return {
        "techniqueID": one.technique,
        "score": len(titles) if one.fed is None else one.fed,
        "comment": "\n".join(shown),
        "enabled": True,
        "showSubtechniques": "." not in one.technique,
    }


def _table(covered: Sequence[Covered], talk: Talk) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column(text("rules.technique"), no_wrap=True)
    table.add_column(text("rules.count"), justify="right", no_wrap=True)
    is_surveyed = any(one.fed is not None for one in covered)
    if is_surveyed:
        table.add_column(text("rules.fed"), justify="right", no_wrap=True)
    table.add_column(text("rules.tactics"), min_width=20, max_width=30)
    table.add_column(text("rules.title"), ratio=1, overflow="ellipsis", no_wrap=True)
    for one in covered:
        row = one.row()
        first = visible(row["titles"][0])
        fed = [f"{one.fed:,}"] if is_surveyed else []
        table.add_row(one.technique, f"{row['rules']:,}", *fed, ", ".join(row["tactics"]), first)
    talk.out.print(table)
