"""Events as lines of a table: when, where, who, and what the event says."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from bigsec.cli.terminal import visible
from bigsec.cli.wording import text
from bigsec.saying import said

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("time", "host", "source", "target", "user", "said")
SAID_MAX = 300


def event_table(events: list[dict[str, Any]], local: tzinfo) -> Table:
    """A table of events as `Batch.to_pylist` gives them; times in the zone `local`."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in COLUMNS:
        table.add_column(text(f"event_column.{name}"), overflow="fold", no_wrap=name == "time")
    for event in events:
        table.add_row(*(visible(part) for part in _cells(event, local)))
    return table


def _cells(event: dict[str, Any], local: tzinfo) -> tuple[str, ...]:
    moment = datetime.fromisoformat(event["time_effective"]).astimezone(local)
    device = event.get("device") or {}
    return (
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        str(device.get("hostname") or event.get("source") or ""),
        str(event.get("src_ip") or ""),
        str(event.get("dst_ip") or ""),
        str(event.get("user_name") or ""),
        said(event)[:SAID_MAX],
    )
