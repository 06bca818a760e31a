"""Signals one a line, as a person watches them come."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from bigsec.cli.levels import badge
from bigsec.cli.terminal import visible
from bigsec.cli.timing import shown

if TYPE_CHECKING:
    from rich.text import Text

SIGNAL_COLUMNS = (
    "time",
    "level",
    "rule_title",
    "rule_id",
    "source",
    "parser",
    "entities",
    "result",
    "attack_techniques",
    "event_ids",
    "signal_id",
    "rule_author",
    "rule_license",
    "raw",
)
_ENTITIES_MAX = 3


def signal_line(signal: dict[str, Any], zone: tzinfo) -> Text:
    """Time, level, rule, whom it speaks of, where it stood."""
    from rich.text import Text

    line = Text(f"{shown(datetime.fromisoformat(signal['time']), zone)}  ")
    line.append_text(badge(signal["level"]))
    line.append(f"  {visible(signal['rule_title'])}", style="bold")
    entities = [visible(one["value"]) for one in signal.get("entities") or []]
    line.append("  " + ", ".join(entities[:_ENTITIES_MAX]))
    line.append(f"  {visible(signal['source'])}", style="dim")
    return line
