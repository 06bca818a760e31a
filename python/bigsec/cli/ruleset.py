"""Loading rules with the options that commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bigsec.cli.levels import LEVELS
from bigsec.cli.options import STATUSES
from bigsec.cli.usage import check_choice

if TYPE_CHECKING:
    from bigsec._core import Rules


def load_rules(
    paths: list[str],
    *,
    status: list[str] | None = None,
    min_level: str | None = None,
    indicators: list[str] | None = None,
) -> Rules:
    """The rules of files and folders; without paths, those that come with bigsec.

    status: `all` stands for every status. indicators: files of them to look for as well.
    Raises FormatError, RuleError where no rule could be loaded, IndicatorError where none could.
    """
    from bigsec import Indicators, Rules

    if min_level is not None:
        check_choice("--min-level", min_level, LEVELS)
    for one in status or []:
        check_choice("--status", one, ("all", *STATUSES))
    statuses = list(STATUSES) if status and "all" in status else status
    rules = Rules.load(*paths, statuses=statuses, min_level=min_level)
    return rules.with_indicators(Indicators.load(*indicators)) if indicators else rules
