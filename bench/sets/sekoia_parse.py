"""Vendors' messages and what a production parser made of them: the share of its values we give.

Each message is read as a source of its own; a value counts under any name.
"""

from __future__ import annotations

from collections.abc import Iterator

from parsed import judge
from sets import Case, Inputs


def score(inputs: Inputs) -> Iterator[Case]:
    """One case: the values."""
    yield from judge(inputs, "cases.jsonl")
