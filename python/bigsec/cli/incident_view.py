"""Incidents as a duty officer reads them: the list, and one incident with what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Literal

from bigsec.cli.credit import credit
from bigsec.cli.levels import badge
from bigsec.cli.terminal import visible
from bigsec.cli.timing import shown, span
from bigsec.cli.wording import language, text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from bigsec.detect import Answer, Incident, IncidentDetail, Signal

# Columns of the list for programs; the table for people shows the same in fewer.
COLUMNS = (
    "number",
    "incident_id",
    "level",
    "title",
    "result",
    "confidence",
    "first",
    "last",
    "source",
    "method",
    "target",
    "weakness",
    "attack_tactics",
    "rules",
    "signal_count",
    "event_count",
)
# A narrower terminal has no room for columns beside the number and the level.
TABLE_WIDTH_MIN = 80
# Values of an answer that a list names; the whole stands in the incident.
_NAMED_MAX = 3
_LINKS_SHOWN = 5


def speech() -> Literal["en", "zh"]:
    """The language of texts that come with an incident."""
    return "zh" if language() == "zh_CN" else "en"


def flat(incident: Incident) -> dict[str, object]:
    """One row for a spreadsheet."""
    row: dict[str, object] = {name: getattr(incident, name, None) for name in COLUMNS}
    row["title"] = incident.title(speech())
    for name in ("source", "method", "target", "weakness"):
        row[name] = list(getattr(incident, name).values)
    for name in ("first", "last"):
        row[name] = getattr(incident, name).isoformat()
    return row


def show_list(incidents: Sequence[Incident], zone: tzinfo, console: Console) -> None:
    """Print a table."""
    from rich import box
    from rich.table import Table

    if console.width < TABLE_WIDTH_MIN:
        _show_stacked(incidents, zone, console)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column(text("incident.number"), no_wrap=True)
    table.add_column(text("incident.level"), no_wrap=True)
    table.add_column(text("incident.what"), ratio=1, overflow="fold")
    table.add_column(text("incident.signals"), justify="right", no_wrap=True)
    for incident in incidents:
        what = _what(incident, zone)
        table.add_row(incident.number, badge(incident.level), what, f"{incident.signal_count:,}")
    console.print(table)


def _show_stacked(incidents: Sequence[Incident], zone: tzinfo, console: Console) -> None:
    """The same for a narrow terminal: one block an incident."""
    from rich.padding import Padding
    from rich.text import Text

    for incident in incidents:
        head = Text(f"{incident.number}  ", style="bold").append_text(badge(incident.level))
        count = text("incident.signal_count", count=f"{incident.signal_count:,}")
        head.append(f"  {count}", style="not bold")
        console.print(head)
        console.print(Padding(_what(incident, zone), (0, 0, 0, 2)), overflow="fold")


def _what(incident: Incident, zone: tzinfo) -> Text:
    """Title, who and when, a line each."""
    from rich.text import Text

    what = Text(visible(incident.title(speech())), style="bold")
    what.append(f"\n{_who(incident)}", style="not bold")
    what.append(f"\n{span(incident.first, incident.last, zone)}", style="not bold dim")
    return what


def show_one(
    incident: IncidentDetail, zone: tzinfo, console: Console, *, evidence_max: int
) -> None:
    """Print an incident whole."""
    from rich.text import Text

    head = Text(f"{incident.number}  ", style="bold").append_text(badge(incident.level))
    head.append(f"  {text('result.' + incident.result)}", style="not bold")
    head.append(f"  {text('confidence.' + incident.confidence)}", style="not bold dim")
    _line(console, head)
    _line(console, Text(visible(incident.title(speech())), style="bold"))
    _line(console, Text(span(incident.first, incident.last, zone)))
    counts = text(
        "incident.counts",
        signals=f"{incident.signal_count:,}",
        events=f"{incident.event_count:,}",
        rules=f"{incident.rules:,}",
        id=incident.incident_id,
    )
    _line(console, Text(counts, style="dim"))
    console.print()
    for name in ("source", "method", "target", "weakness"):
        _answer(console, name, getattr(incident, name))
    # Where no weakness is known, the answer before has said so.
    named = incident.exploitability.why != "no_weakness_named"
    for name in (*(("exploitability",) if named else ()), "score", "warning", "gb20986"):
        told = getattr(incident, name).text(speech())
        _line(console, _label(text(f"answer.{name}")).append_text(Text(told)))
    _silences(incident, console)
    _links(incident, console)
    _timeline(incident, zone, console)
    _evidence(incident, zone, console, evidence_max)
    _rules(incident.signals, console)


def _who(incident: Incident) -> str:
    """Source and target in one line."""
    return f"{_named(incident.source)} → {_named(incident.target)}"


def _named(answer: Answer) -> str:
    if not answer.values:
        return text("answer.unknown")
    named = ", ".join(visible(value) for value in answer.values[:_NAMED_MAX])
    rest = answer.total - min(len(answer.values), _NAMED_MAX)
    return named + (text("answer.more", count=f"{rest:,}") if rest > 0 else "")


def _answer(console: Console, name: str, answer: Answer) -> None:
    from rich.text import Text

    line = _label(text(f"answer.{name}"))
    told = visible(answer.text(speech()))
    line.append_text(Text(told) if answer.values else Text(told, style="dim italic"))
    _line(console, line)


def _silences(incident: IncidentDetail, console: Console) -> None:
    from rich.text import Text

    for silence, count in incident.silences:
        told = text(
            "incident.silenced",
            count=f"{count:,}",
            total=f"{incident.signal_count:,}",
            owner=visible(silence.owner),
            reason=visible(silence.reason),
        )
        _line(console, _label(text("answer.silenced")).append_text(Text(told)))


def _links(incident: IncidentDetail, console: Console) -> None:
    from rich.text import Text

    if not incident.links:
        return
    _heading(console, text("incident.links"))
    for link in incident.links[:_LINKS_SHOWN]:
        _line(console, Text(f"  {visible(link.text(speech()))}"))


def _timeline(incident: IncidentDetail, zone: tzinfo, console: Console) -> None:
    from rich.text import Text

    _heading(console, text("incident.timeline"))
    for entry in incident.timeline:
        line = Text(f"  {span(entry.first, entry.last, zone)}  ").append_text(badge(entry.level))
        line.append(f"  {visible(entry.rule_title)}")
        if entry.where:
            line.append(f"  @ {visible(entry.where)}")
        if entry.result != "unknown":
            line.append(f"  {text('result.' + entry.result)}", style="dim")
        if entry.count > 1:
            line.append(f"  ×{entry.count:,}", style="bold")
        _line(console, line)


def _evidence(incident: IncidentDetail, zone: tzinfo, console: Console, evidence_max: int) -> None:
    from rich.text import Text

    kept = incident.evidence[:evidence_max]
    _heading(
        console,
        text("incident.evidence", shown=f"{len(kept):,}", total=f"{incident.event_count:,}"),
    )
    for event in kept:
        line = Text(f"  {shown(event.time_effective, zone)}  {visible(event.source)}")
        line.append(f"  {event.event_id}", style="dim")
        _line(console, line)
        if event.raw is None:
            _line(console, Text(f"    {text('incident.no_raw')}", style="dim italic"))
        else:
            _line(console, Text(f"    {visible(event.raw)}"))


def _rules(signals: Sequence[Signal], console: Console) -> None:
    from rich.text import Text

    _heading(console, text("incident.rules"))
    for signal in {one.rule_id: one for one in signals}.values():
        line = Text("  ").append_text(badge(signal.level)).append(f"  {visible(signal.rule_title)}")
        line.append(f"  {credit(signal.rule_author, signal.rule_license)}", style="dim")
        line.append(f"  {visible(signal.rule_id)}", style="dim")
        _line(console, line)


def _heading(console: Console, told: str) -> None:
    from rich.text import Text

    console.print()
    _line(console, Text(told, style="bold underline"))


def _label(name: str) -> Text:
    from rich.cells import cell_len
    from rich.text import Text

    pad = " " * max(1, int(text("answer.width")) - cell_len(name))
    return Text(f"  {name}{pad}", style="bold").append("", style="not bold")


def _line(console: Console, line: Text) -> None:
    """A line of any length: the terminal wraps it, a pipe gets it whole."""
    console.print(line, soft_wrap=True)
