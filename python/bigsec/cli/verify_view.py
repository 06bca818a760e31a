"""A verification as somebody reads it who was just woken: verdict first, then what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bigsec.cli.status_view import shown_bytes
from bigsec.cli.terminal import visible
from bigsec.cli.wording import text, text_or

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

FINDINGS_SHOWN = 50
_STYLES = {"tamper": "bold red", "damage": "bold yellow", "notice": "dim"}
_MARKS = {
    "ok": ("✓", "bold green"),
    "unproven": ("✓", "bold"),
    "damage": ("!", "bold yellow"),
    "tamper": ("✗", "bold red"),
}
_ORDER = ("tamper", "damage", "notice")


def show(report: dict[str, Any], folder: str, console: Console, outside: int = 0) -> None:
    """Print the report. outside: how many checkpoints from elsewhere it was held against."""
    console.print(_verdict(report), soft_wrap=True)
    console.print(_facts(report, folder, outside), soft_wrap=True)
    findings = _merged(report["findings"])
    for finding, alike in findings[:FINDINGS_SHOWN]:
        console.print(_finding(finding, alike), soft_wrap=True)
    if (more := len(findings) - FINDINGS_SHOWN) > 0:
        console.print(text("verify.more", count=f"{more:,}"), style="bold")


def worst(report: dict[str, Any]) -> str:
    """The gravest severity found; else `ok`, or `unproven` where no signature was checked."""
    found = {one["severity"] for one in report["findings"]}
    sound = "ok" if report["key"] is not None and report["checkpoint"] is not None else "unproven"
    return next((one for one in ("tamper", "damage") if one in found), sound)


def _merged(findings: list[dict[str, Any]]) -> list[tuple[dict[str, Any], int]]:
    """The gravest first, each with how many are left out as alike: same kind, place and begin.

    One cut-off end contradicts every checkpoint that was ever signed after it; the one that
    reaches furthest tells it all.
    """
    merged: dict[tuple[Any, ...], tuple[dict[str, Any], int]] = {}
    for one in sorted(findings, key=lambda one: _ORDER.index(one["severity"])):
        key = tuple(one[name] for name in ("severity", "kind", "file", "offset", "first"))
        furthest, count = merged.get(key, (one, -1))
        merged[key] = (max(furthest, one, key=lambda each: int(each["end"])), count + 1)
    return list(merged.values())


def _verdict(report: dict[str, Any]) -> Text:
    from rich.text import Text

    verdict = worst(report)
    mark, style = _MARKS[verdict]
    out = Text()
    out.append(f"{mark} {text(f'verdict.{verdict}')}", style=style)
    out.append(f"\n  {text(f'advice.{verdict}')}")
    return out


def _facts(report: dict[str, Any], folder: str, outside: int) -> Text:
    from rich.text import Text

    out = Text()
    size, checkpoint, caught = report["size"], report["checkpoint"], report["caught_from"]
    told = text(
        "verify.log_told",
        name=visible(report["name"]),
        folder=visible(folder),
        id=report["id"],
    )
    counts = text(
        "verify.records_told",
        records=f"{report['records']:,}",
        first=f"{report['first']:,}",
        last=f"{max(0, size - 1):,}",
        segments=f"{report['segments']:,}",
        bytes=shown_bytes(report["bytes"]),
    )
    lines = [("log", told), ("records", counts)]
    if report["key"] is None:
        lines.append(("signed", text("verify.no_key")))
    elif checkpoint is None:
        lines.append(("signed", text("verify.no_checkpoint")))
    else:
        after = f"{size - checkpoint:,}"
        told = text("verify.signed_told", size=f"{checkpoint:,}", after=after)
        lines.append(("signed", told))
    if caught is None:
        none = "verify.outside_contradicts" if outside else "verify.no_outside"
        lines.append(("outside", text(none)))
    else:
        told = text("verify.outside_told", size=f"{caught:,}", after=f"{size - caught:,}")
        lines.append(("outside", told))
    for index, (key, line) in enumerate(lines):
        out.append("\n" if index else "")
        out.append(f"  {text(f'verify.{key}')}  ", style="bold")
        out.append(line)
    return out


def _finding(finding: dict[str, Any], alike: int) -> Text:
    from rich.text import Text

    severity = finding["severity"]
    out = Text()
    kind = text_or(f"finding.{finding['kind'].replace('-', '_')}", finding["kind"])
    out.append(text(f"verify.{severity}") + text("problem.colon") + kind, style=_STYLES[severity])
    place = visible(finding["file"])
    if finding["offset"] is not None:
        place += text("verify.at_byte", offset=f"{finding['offset']:,}")
    if place:
        out.append(f"\n  ┌ {place}", style="blue")
    if finding["end"] > finding["first"]:
        count = finding["end"] - finding["first"]
        span = text(
            "verify.in_doubt",
            first=f"{finding['first']:,}",
            last=f"{finding['end'] - 1:,}",
            count=f"{count:,}",
        )
        out.append(f"\n  {span}", style="bold")
    out.append(f"\n  {visible(finding['what'])}")
    if alike:
        out.append(f"\n  {text('verify.alike', count=f'{alike:,}')}", style="dim")
    if finding["mend"]:
        out.append(f"\n  {text('problem.help')}", style="cyan")
        out.append(visible(finding["mend"]))
    return out
