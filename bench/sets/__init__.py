"""The sets that `bench/score.py` knows: one module each, found by looking into this folder.

A module's name is the set's with `_` for `-`; its docstring says what is compared; its function
`score(inputs)` yields the cases. Nothing else has to be edited to add one.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

Figure = int | float | str


class Void(Exception):
    """Nothing came out, so that a figure would say nothing."""


@dataclass(frozen=True)
class Inputs:
    """Where everything lies.

    data: folder of the set. shared: where a sister set lies that is not beside it.
    scorer: the scorer's script. events, rules: given by hand, else None.
    """

    data: Path
    shared: Path
    scorer: Path
    events: Path | None = None
    rules: Path | None = None

    def sister(self, name: str) -> Path:
        """Another set: beside this one, else in the shared data."""
        for folder in (self.data.parent / name, self.shared / name):
            if folder.is_dir():
                return folder
        raise Void(f"{name} lies neither beside {self.data} nor in {self.shared}")


@dataclass(frozen=True)
class Line:
    """One line of a result: for people, and its figures for programs."""

    text: str
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One comparison of a set, with its lines."""

    name: str
    lines: tuple[Line, ...]

    def rows(self) -> Iterator[dict[str, Figure]]:
        """The lines that have figures, as objects."""
        for line in self.lines:
            if line.figures:
                yield dict(line.figures)


class ScoredSet(Protocol):
    """A module of this folder."""

    def score(self, inputs: Inputs) -> Iterator[Case]:
        """Make the predictions and compare them, case by case."""
        ...


def load() -> dict[str, ScoredSet]:
    """Every set by its name. A module without `score` is a mistake and raises."""
    found: dict[str, ScoredSet] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        if not callable(getattr(loaded, "score", None)):
            raise TypeError(f"bench/sets/{module.name}.py has no function score(inputs)")
        found[module.name.replace("_", "-")] = cast("ScoredSet", loaded)
    return found
