"""Conditions in SQL with their values beside them: no text of a filter enters a statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Condition", "every", "negated", "some"]


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression; `?` stands for each value in order. What is null does not hold: said where it
    matters (`negated`), because an engine prunes by plain comparisons alone."""

    sql: str
    values: list[Any] = field(default_factory=list)


def every(parts: list[Condition]) -> Condition:
    """All of them hold."""
    return _joined(parts, " AND ", "true")


def some(parts: list[Condition]) -> Condition:
    """One of them holds."""
    return _joined(parts, " OR ", "false")


def negated(part: Condition) -> Condition:
    """It does not hold."""
    return Condition(f"({part.sql} IS NOT TRUE)", part.values)


def _joined(parts: list[Condition], word: str, empty: str) -> Condition:
    if not parts:
        return Condition(empty)
    if len(parts) == 1:
        return parts[0]
    values = [value for part in parts for value in part.values]
    return Condition(f"({word.join(part.sql for part in parts)})", values)
