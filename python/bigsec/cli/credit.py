"""Who wrote a rule, and under which licence: shown with everything the rule finds."""

from __future__ import annotations

from bigsec.cli.terminal import visible
from bigsec.cli.wording import text

# Some rules name a dozen authors; the whole list stands in the JSON.
_AUTHOR_MAX = 48


def credit(author: str | None, license: str | None) -> str:
    """Author and licence, or that one is not named."""
    shown = visible(author or text("rule.no_author"))
    if len(shown) > _AUTHOR_MAX:
        shown = shown[: _AUTHOR_MAX - 1] + "…"
    return f"{shown}, {visible(license or text('rule.no_license'))}"
