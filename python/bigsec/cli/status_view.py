"""A daemon's status as a person reads it, and as flat rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bigsec.cli.terminal import visible
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def shown_bytes(count: float) -> str:
    """`12.3 MiB`."""
    for unit in _UNITS:
        if count < 1024 or unit == _UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"


def shown_age(seconds: float | None) -> str:
    """`12 s`, `5 min`, `3 h`, `2 d`; a dash where there is none."""
    if seconds is None:
        return "–"
    for limit, size, key in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return text(f"span.{key}", count=f"{max(0, seconds) / size:.0f}")
    return text("span.d", count=f"{seconds / 86_400:.0f}")


def view(status: dict[str, Any], rates: dict[str, float] | None = None) -> Group:
    """The whole status. rates: records a second by source, where two looks were taken."""
    from rich.console import Group

    return Group(_head(status), _sources(status, rates))


def _head(status: dict[str, Any]) -> Text:
    from rich.text import Text

    health, log = status["health"], status["log"]
    well = health["state"] == "ok"
    out = Text()
    out.append(visible(status["name"]), style="bold")
    out.append("  ")
    mark = text("status.well") if well else text("status.degraded")
    out.append(mark, style="green" if well else "bold red")
    age = (status["now_us"] - status["started_us"]) / 1e6
    out.append("  " + text("status.since", age=shown_age(age), version=status["version"]))
    for reason in health["reasons"]:
        out.append(f"\n  ✗ {visible(reason['what'])} [{reason['code']}]", style="bold red")
        if reason["mend"]:
            out.append(f"\n    {text('problem.help')}{visible(reason['mend'])}", style="cyan")
    for key, told in _facts(status, log):
        out.append(f"\n  {text(f'status.{key}')}  ", style="bold")
        out.append(told)
    return out


def _facts(status: dict[str, Any], log: dict[str, Any]) -> list[tuple[str, str]]:
    now_us = status["now_us"]
    checkpoint, keeper, disk = log["checkpoint"], log["keeper"], status["disk"]
    facts = [
        (
            "log",
            text(
                "status.log_told",
                size=f"{log['size']:,}",
                bytes=shown_bytes(log["bytes"]),
                segments=log["segments"],
            ),
        ),
        ("reading", text("status.reading_told", lag=f"{status['consumer']['lag']:,}")),
    ]
    if checkpoint is None:
        facts.append(("checkpoint", text("status.unsigned")))
    else:
        age = shown_age((now_us - checkpoint["time_us"]) / 1e6)
        told = text("status.checkpoint_told", size=f"{checkpoint['size']:,}", age=age)
        facts.append(("checkpoint", told))
    if keeper is not None:
        sent = "–" if keeper["size"] is None else f"{keeper['size']:,}"
        told = text("status.keeper_told", where=visible(keeper["where"]), size=sent)
        facts.append(("keeper", told))
    if disk is not None:
        hours = status["gauges"].get("bigsec_disk_full_hours")
        left = text("status.disk_left", age=shown_age(hours * 3600)) if hours is not None else ""
        told = text("status.disk_told", free=shown_bytes(disk["free"]), left=left)
        facts.append(("disk", told))
    return facts


def _sources(status: dict[str, Any], rates: dict[str, float] | None) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column(text("status.source"))
    names = ["records", "rate", "unparsed", "connections", "heard", "drops", "errors"]
    if rates is None:
        names.remove("rate")
    for name in names:
        table.add_column(text(f"status.{name}"), justify="right")
    for name, source in sorted(status["sources"].items()):
        row = source_row(name, source, status["now_us"], rates)
        cells = [_cell(one, row[one]) for one in names]
        table.add_row(visible(name), *cells)
    return table


def source_row(
    name: str, source: dict[str, Any], now_us: int, rates: dict[str, float] | None = None
) -> dict[str, Any]:
    """One source as a flat row."""
    meters, ledger = source["meters"] or {}, source["ledger"] or {}
    last_us = max(meters.get("last_received_us", 0), ledger.get("last_received_us", 0))
    return {
        "source": name,
        "records": meters.get("records", ledger.get("received", 0)),
        "rate": (rates or {}).get(name),
        "unparsed": ledger.get("unparsed", 0) + ledger.get("quarantined", 0),
        "connections": meters.get("connections"),
        "heard": (now_us - last_us) / 1e6 if last_us else None,
        "drops": meters.get("kernel_drops", 0),
        "errors": meters.get("errors", 0),
    }


def _cell(name: str, value: Any) -> str:
    if name == "heard":
        return shown_age(value)
    if value is None:
        return "–"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
