"""`bigsec perceive`: what sensors' alerts come to."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.options import ColorOption, FormatOption, JsonOption, QuietOption
from bigsec.cli.output import Format, rows
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color, visible
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text
from bigsec.errors import Problem, StoreError

if TYPE_CHECKING:
    from bigsec.detect.perceive import Alert, Incident, Perceiver

COLUMNS = (
    "incident",
    "campaign",
    "raised",
    "first",
    "last",
    "method",
    "tactic",
    "technique",
    "hosts",
    "alerts",
    "score",
    "parts",
)
_SHOWN = 3
_FAULTS_SHOWN = 10

FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILE", help=text("perceive.files"), show_default=False)
]
AllOption = Annotated[bool, typer.Option("--all", help=text("perceive.all"), show_default=False)]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", metavar="FILE", dir_okay=False, help=text("perceive.state")),
]
KeepOption = Annotated[
    str | None, typer.Option("--keep", metavar="DIR", help=text("perceive.keep"))
]
ExplainOption = Annotated[
    int | None, typer.Option("--explain", metavar="N", help=text("perceive.explain"))
]


def perceive(
    files: FilesArgument,
    every: AllOption = False,
    explain: ExplainOption = None,
    state: StateOption = None,
    keep: KeepOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """Perceive incidents in alerts."""
    from bigsec.detect.perceive import Perceiver

    talk = Talk.of(form, json, color, quiet=quiet)
    perceiver = Perceiver()
    alerts, others, faults = read_all(files, talk)
    passed_over = _take(perceiver, sorted(alerts), state)
    shown = [one for one in perceiver.incidents.values() if every or one.raised_s is not None]
    if explain is not None:
        chosen = perceiver.incidents.get(explain)
        if chosen is None:
            raise wrong_usage(text("perceive.unknown", number=explain), text("perceive.mend"))
        shown = [chosen]
    if talk.form is not Format.TABLE:
        writer = rows(talk.form, COLUMNS)
        for incident in shown:
            writer.write(_row(incident, perceiver))
        writer.close()
    elif explain is not None:
        _parts(shown[0], perceiver, talk)
    elif shown:
        _table(shown, talk)
    raised = sum(one.raised_s is not None for one in perceiver.incidents.values())
    counts = {"alerts": len(alerts), "others": others, "raised": raised}
    counts["incidents"] = len(perceiver.incidents)
    talk.say(text("perceive.summary", **{name: f"{count:,}" for name, count in counts.items()}))
    if keep is not None:
        _keep(perceiver, keep, talk)
    if passed_over:
        talk.say(text("perceive.passed_over", count=f"{passed_over:,}"))
    if others and not alerts:
        talk.show([Problem("BS1003", "parse.malformed", text("perceive.nothing"), file=files[0])])
    if faults or not alerts:
        return Exit.BAD_INPUT
    return Exit.FINDINGS if raised else Exit.DONE


def _take(perceiver: Perceiver, alerts: list[Alert], state: Path | None) -> int:
    """Let the perceiver have the alerts; gives how many it had in an earlier run."""
    from bigsec.detect.perceive import Memory

    if state is None:
        for alert in alerts:
            perceiver.take(alert)
        return 0
    memory = Memory(state)
    try:
        memory.recall(perceiver)
        memory.take(perceiver, alerts)
    except OSError as error:
        what = f"{state}: {error.strerror or error}"
        raise StoreError("BS4210", "config.state", what) from None
    return memory.passed_over


def _keep(perceiver: Perceiver, folder: str, talk: Talk) -> None:
    """Put what is raised into a store, for lists and pages."""
    from bigsec.detect import record
    from bigsec.detect.perceive import rows_of
    from bigsec.store import written_beside

    signals, events = rows_of(perceiver.incidents.values(), perceiver.settings)
    with written_beside(folder, create=True) as store:
        kept = record(store, signals, events)
    counts = {"new": kept.new_incidents, "grown": kept.updated_incidents}
    talk.say(text("perceive.kept", folder=folder, **{k: f"{n:,}" for k, n in counts.items()}))


def read_all(files: list[str], talk: Talk) -> tuple[list[Alert], int, int]:
    """The alerts of all files, how many other records they hold, and how many faults, which are
    told."""
    from bigsec.detect.perceive import Fault, Sensors, read_alerts

    sensors, found, faults, others = Sensors(), [], 0, 0
    progress = talk.progress()
    for number, name in enumerate(files):
        try:
            for one in read_alerts(Path(name), sensors):
                if not isinstance(one, Fault):
                    found.append(one)
                elif one.other:
                    others += 1
                else:
                    faults += 1
                    if faults <= _FAULTS_SHOWN:
                        code, kind = "BS1003", "parse.malformed"
                        talk.show([Problem(code, kind, one.what, file=name, line=one.line)])
        except OSError as error:
            faults += 1
            talk.show([_unreadable(error, name)])
        progress.update(number + 1, len(files), name)
    progress.clear()
    if faults > _FAULTS_SHOWN:
        talk.say(text("perceive.faults", count=f"{faults:,}"))
    return found, others, faults


def _unreadable(error: OSError, name: str) -> Problem:
    """Why a file cannot be read."""
    if not Path(name).exists():
        return Problem("BS1101", "input.not_found", "no such file", file=name)
    if isinstance(error, PermissionError):
        return Problem("BS1102", "input.denied", error.strerror or str(error), file=name)
    return Problem("BS1103", "input.broken", error.strerror or str(error), file=name)


def _row(incident: Incident, perceiver: Perceiver) -> dict[str, Any]:
    told = incident.explain(perceiver.settings)
    moments = {name: told.pop(f"{name}_s") for name in ("first", "last", "raised")}
    shown = {name: None if at is None else _moment(at).isoformat() for name, at in moments.items()}
    told |= shown
    return {name: told[name] for name in COLUMNS}


def _moment(time_s: float) -> datetime:
    return datetime.fromtimestamp(time_s).astimezone()


def _clock(time_s: float | None) -> str:
    return "-" if time_s is None else _moment(time_s).strftime("%m-%d %H:%M:%S")


def _several(names: list[str]) -> str:
    more = f" +{len(names) - _SHOWN}" if len(names) > _SHOWN else ""
    return visible(", ".join(names[:_SHOWN]) + more)


def _table(shown: list[Incident], talk: Talk) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in ("number", "campaign", "raised", "method", "hosts", "alerts", "score", "says"):
        right = name in ("number", "campaign", "alerts", "score")
        table.add_column(text(f"perceive.{name}"), justify="right" if right else "left")
    for one in shown:
        best = max(one.parts.values(), key=lambda part: part.bits)
        table.add_row(
            str(one.number),
            str(one.campaign),
            _clock(one.raised_s),
            text(f"perceive_method.{one.method.name}"),
            _several(sorted(one.hosts)),
            f"{one.count:,}",
            f"{one.score:.0f}",
            visible(best.detector),
        )
    talk.out.print(table)


def _parts(incident: Incident, perceiver: Perceiver, talk: Talk) -> None:
    """Why an incident has its score."""
    from rich import box
    from rich.table import Table

    settings, told = perceiver.settings, incident.explain(perceiver.settings)
    campaign = perceiver.campaigns[incident.campaign]
    others = ", ".join(str(one) for one in campaign.incidents if one != incident.number)
    talk.out.print(
        text(
            "perceive.explained",
            number=incident.number,
            method=text(f"perceive_method.{incident.method.name}"),
            technique=incident.method.technique or "-",
            first=_clock(incident.first_s),
            last=_clock(incident.last_s),
            raised=_clock(incident.raised_s),
            score=f"{incident.score:.1f}",
            needed=f"{settings.incident_bits:.0f}",
            campaign=campaign.number,
            campaign_score=f"{campaign.score:.1f}",
            others=others or "-",
        ),
        soft_wrap=True,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in ("counted", "bits", "alerts", "host", "says"):
        right = name in ("counted", "bits", "alerts")
        table.add_column(text(f"perceive.{name}"), justify="right" if right else "left")
    for part in told["parts"]:
        numbers = (f"{part['counted']:.1f}", f"{part['bits']:.1f}", f"{part['alerts']:,}")
        table.add_row(*numbers, visible(part["host"]), visible(part["detector"]))
    talk.out.print(table)
