"""What data must have for rules to see anything, and lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigsec.cli.over import batches_over

if TYPE_CHECKING:
    from bigsec._core import Rules
    from bigsec.cli.stop import Stop
    from bigsec.cli.talk import Talk
    from bigsec.collect import FoundInputs


@dataclass(slots=True)
class Lack:
    """Why data can give a rule no match, or hardly."""

    # Events of the rule's log source.
    events: int
    # Fields of the rule that none of them has.
    missing: list[str]


def survey_of(
    rules: Rules,
    over: list[str],
    found: FoundInputs,
    talk: Talk,
    stop: Stop,
    form: str | None,
    timezone: str,
) -> dict[str, Lack]:
    """The rules that log files cannot feed, by id: no event of their log source, or fields lack."""
    events: dict[str, int] = {}
    missing: dict[str, list[str]] = {}
    for batch in batches_over(over, found, talk, stop, form=form, timezone=timezone):
        for row in rules.survey(batch):
            rule_id, count = row["rule_id"], row["events"]
            events[rule_id] = events.get(rule_id, 0) + count
            if count:
                before = missing.get(rule_id, row["missing"])
                missing[rule_id] = [name for name in before if name in row["missing"]]
    lacks = {rule.id: Lack(0, []) for rule in rules.rules if not rule.is_correlation}
    for rule_id, count in events.items():
        if count and not missing[rule_id]:
            del lacks[rule_id]
        else:
            lacks[rule_id] = Lack(count, missing.get(rule_id, []))
    return lacks
