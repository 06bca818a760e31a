"""What an attack story promises: which rules find it, and whom they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_RULES = Path(__file__).parents[1] / "packs" / "rules" / "starter"
_ID = re.compile(r"^id: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Story:
    """One attack among the ordinary lines.

    rules: ids of the starter rules that must find it, all in one incident.
    entities: (kind, value) pairs that this incident names, such as ("ip", "203.0.113.66").
    """

    name: str
    about: str
    rules: tuple[str, ...]
    entities: tuple[tuple[str, str], ...]


@lru_cache(maxsize=64)
def rule_id(name: str) -> str:
    """The id of a starter rule, read from its file so that it stands in one place alone."""
    found = _ID.search((_RULES / f"{name}.yml").read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"the rule {name} has no id")
    return found[1]
