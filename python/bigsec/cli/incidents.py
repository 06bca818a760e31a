"""`bigsec incidents`: look at what scans have found."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bigsec.cli.exits import Exit
from bigsec.cli.help import HelpfulGroup
from bigsec.cli.incident_view import COLUMNS, flat, show_list, show_one
from bigsec.cli.levels import LEVELS
from bigsec.cli.options import (
    STORE_DEFAULT,
    ColorOption,
    FormatOption,
    JsonOption,
    MinLevelOption,
    QuietOption,
    SinceOption,
    StoreOption,
    UntilOption,
    ZoneOption,
)
from bigsec.cli.output import Format, rows
from bigsec.cli.scan import every_incident
from bigsec.cli.span import moment_of, zone
from bigsec.cli.talk import Talk
from bigsec.cli.terminal import Color
from bigsec.cli.usage import check_choice
from bigsec.cli.wording import text

if TYPE_CHECKING:
    from datetime import tzinfo

    from bigsec.detect import IncidentFilter

app = typer.Typer(cls=HelpfulGroup, help=text("incidents.help"), rich_markup_mode=None)

# Signals and events of one incident that are read at a time; its counts say how many there are.
SIGNALS_MAX = 1_000
# Rows of a table, unless the user wants more.
TABLE_ROWS = 50

LimitOption = Annotated[
    int | None,
    typer.Option("--limit", "-n", metavar="N", min=1, max=1000, help=text("incidents.limit")),
]
SearchOption = Annotated[
    str | None, typer.Option("--search", metavar="TEXT", help=text("incidents.search"))
]
SilencedOption = Annotated[
    bool, typer.Option("--silenced", help=text("incidents.silenced"), show_default=False)
]
EvidenceOption = Annotated[
    int, typer.Option("--evidence", metavar="N", min=0, max=1000, help=text("incidents.evidence"))
]
ReferenceArgument = Annotated[
    str, typer.Argument(metavar="INCIDENT", help=text("incidents.reference"), show_default=False)
]


def list_stored(
    store: StoreOption = STORE_DEFAULT,
    min_level: MinLevelOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    search: SearchOption = None,
    silenced: SilencedOption = False,
    limit: LimitOption = None,
    form: FormatOption = None,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    quiet: QuietOption = False,
    color: ColorOption = Color.AUTO,
) -> int:
    """List incidents."""
    from bigsec.detect import list_incidents
    from bigsec.store import open_store

    talk = Talk.of(form, json, color, quiet=quiet)
    local = zone(timezone)
    where = replace(_filter(min_level, since, until, search, local), silenced=silenced)
    with open_store(store) as opened:
        if talk.form is not Format.TABLE:
            writer = rows(talk.form, COLUMNS)
            for incident in islice(every_incident(opened, where=where), limit):
                writer.write(flat(incident) if talk.form is Format.CSV else incident.to_dict())
            writer.close()
            return Exit.DONE
        page = list_incidents(opened, where, limit=limit or TABLE_ROWS)
    if page.silenced:
        talk.say(text("incidents.hidden", count=f"{page.silenced:,}"))
    if not page.incidents:
        talk.say(text("incidents.none"))
        return Exit.DONE
    show_list(page.incidents, local, talk.out)
    total = f"{page.total:,}" if page.total_exact else f"≥ {page.total:,}"
    talk.say(text("incidents.listed", shown=f"{len(page.incidents):,}", total=total))
    return Exit.DONE


def show(
    reference: ReferenceArgument,
    store: StoreOption = STORE_DEFAULT,
    evidence: EvidenceOption = 20,
    form: FormatOption = None,
    json: JsonOption = False,
    timezone: ZoneOption = "UTC",
    color: ColorOption = Color.AUTO,
) -> int:
    """Show one incident."""
    from bigsec.detect import get_incident
    from bigsec.store import open_store

    talk = Talk.of(form, json, color)
    local = zone(timezone)
    with open_store(store) as opened:
        incident = get_incident(
            opened, reference, signals_max=SIGNALS_MAX, evidence_max=max(evidence, 1)
        )
    if talk.form is Format.TABLE:
        show_one(incident, local, talk.out, evidence_max=evidence)
        return Exit.DONE
    writer = rows(talk.form, COLUMNS)
    writer.write(flat(incident) if talk.form is Format.CSV else incident.to_dict())
    writer.close()
    return Exit.DONE


def _filter(
    min_level: str | None, since: str | None, until: str | None, search: str | None, local: tzinfo
) -> IncidentFilter:
    from bigsec.detect import IncidentFilter

    if min_level is not None:
        check_choice("--min-level", min_level, LEVELS)
    level: Any = min_level
    return IncidentFilter(
        level=level,
        since=None if since is None else moment_of(since, local),
        until=None if until is None else moment_of(until, local),
        text=search,
    )
