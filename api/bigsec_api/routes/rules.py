"""The loaded rules, and how often each fired."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from bigsec import Rule
from bigsec.detect import RuleCount, rule_counts, severity_of
from bigsec.errors import NotFoundError
from bigsec_api.deps import LoadedRules, OpenStore
from bigsec_api.document import PROBLEMS, found
from bigsec_api.json_answer import JsonAnswer
from bigsec_api.models import RuleList, RuleWhole
from bigsec_api.queries import RuleQuery

router = APIRouter(
    prefix="/rules", tags=["rules"], responses=PROBLEMS, default_response_class=JsonAnswer
)

_NEVER: dict[str, Any] = {"signals": 0, "incidents": 0, "first": None, "last": None}


@router.get("", responses=found(RuleList, "rules"))
def rules(
    store: OpenStore, loaded: LoadedRules, query: Annotated[RuleQuery, Query()]
) -> JsonAnswer:
    """One page of rules in the order of their ids."""
    counts = rule_counts(store)
    ruleset = loaded.get()
    fitting = sorted(
        (rule for rule in ruleset.rules if _fits(rule, counts, query)), key=lambda one: one.id
    )
    rest = [rule for rule in fitting if query.after is None or rule.id > query.after]
    shown = rest[: query.limit]
    return JsonAnswer(
        {
            "rules": [_whole(rule, counts) for rule in shown],
            "next": shown[-1].id if len(rest) > len(shown) else None,
            "total": len(fitting),
            "version": ruleset.version,
            "problems": len(ruleset.problems),
        }
    )


@router.get("/{rule_id}", responses=found(RuleWhole, "rule"))
def rule(
    store: OpenStore,
    loaded: LoadedRules,
    rule_id: Annotated[str, Path(max_length=200, description="Id of the rule.")],
) -> JsonAnswer:
    """One rule."""
    for one in loaded.get().rules:
        if one.id == rule_id:
            return JsonAnswer(_whole(one, rule_counts(store)))
    message = f"no loaded rule has the id {rule_id[:80]!r}"
    raise NotFoundError("BS3106", "store.no_such_thing", message)


def _fits(rule: Rule, counts: dict[str, RuleCount], query: RuleQuery) -> bool:
    if query.level is not None and severity_of(rule.level) < severity_of(query.level):
        return False
    if query.status is not None and rule.status != query.status:
        return False
    if query.tag is not None and query.tag not in rule.tags:
        return False
    if query.fired is not None and query.fired != (rule.id in counts):
        return False
    if query.text is None:
        return True
    wanted = query.text.casefold()
    return any(wanted in one.casefold() for one in (rule.title, rule.id, rule.description))


def _whole(rule: Rule, counts: dict[str, RuleCount]) -> dict[str, Any]:
    count = counts.get(rule.id)
    return {
        "id": rule.id,
        "title": rule.title,
        "level": rule.level,
        "status": rule.status,
        "author": rule.author,
        "license": rule.license,
        "description": rule.description,
        "path": rule.path,
        "tags": rule.tags,
        "references": rule.references,
        "falsepositives": rule.falsepositives,
        "logsource": rule.logsource,
        "fired": _NEVER if count is None else count.to_dict(),
    }
