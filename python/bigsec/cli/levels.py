"""How a level looks: a word and a symbol, so that colour is never what tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bigsec.cli.wording import text

if TYPE_CHECKING:
    from rich.text import Text

# Highest first: the order in which people read them.
LEVELS = ("critical", "high", "medium", "low", "informational")
_SYMBOLS = {"critical": "◆", "high": "▲", "medium": "●", "low": "○", "informational": "·"}
_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "informational": "dim",
}


def badge(level: str) -> Text:
    """Symbol and word of a level."""
    from rich.text import Text

    return Text(f"{_SYMBOLS[level]} {text(f'level.{level}')}", style=_STYLES[level])


def at_least(level: str, bar: str) -> bool:
    """Whether a level is as high as the bar or higher."""
    return LEVELS.index(level) <= LEVELS.index(bar)
