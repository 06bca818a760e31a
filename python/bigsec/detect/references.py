"""Which incident people mean: an id, the beginning of one, or a number."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection, select

from bigsec.detect.numbers import number_order
from bigsec.errors import NotFoundError, Problem
from bigsec.store.model import IncidentRedirectRow, IncidentRow

__all__ = ["find"]

_NUMBER: Final = re.compile(r"([0-9]{4})-([0-9]{1,12})")
_BEGINNING: Final = re.compile(r"[0-9a-f]{4,32}")
"""Four digits at least: a shorter beginning is a slip more often than a name."""

_CANDIDATES_MAX: Final = 5


def find(connection: Connection, reference: str) -> str:
    """The id of the incident; of the one it was merged into, where it was. Raises NotFoundError."""
    given = reference.strip().lower()
    if match := _NUMBER.fullmatch(given):
        return _by_number(connection, f"{match[1]}-{int(match[2]):06}")
    if _BEGINNING.fullmatch(given):
        return _by_beginning(connection, given)
    raise _not_found(
        f"{reference[:80]!r} is no incident",
        "Name a number such as 2026-000123, or an id or its beginning (four digits or more).",
    )


def _by_number(connection: Connection, number: str) -> str:
    own = select(IncidentRow.incident_id).where(IncidentRow.number == number)
    merged = select(IncidentRedirectRow.target_id).where(IncidentRedirectRow.number == number)
    found = connection.scalars(own.union_all(merged)).first()
    if found is not None:
        return found
    year = number.partition("-")[0]
    alike = connection.scalars(
        select(IncidentRow.number).where(IncidentRow.number.startswith(f"{year}-"))
    ).all()
    if not alike:
        mend = f"No incident has a number of {year}. `bigsec incidents list` shows what there is."
    else:
        first, last = min(alike, key=number_order), max(alike, key=number_order)
        nearest = min(
            alike, key=lambda one: (abs(number_order(one)[1] - number_order(number)[1]), one)
        )
        mend = f"Did you mean {nearest}? The numbers of {year} go from {first} to {last}."
    raise _not_found(f"no incident has the number {number}", mend)


def _by_beginning(connection: Connection, beginning: str) -> str:
    own = select(IncidentRow.incident_id, IncidentRow.incident_id.label("target")).where(
        IncidentRow.incident_id.startswith(beginning)
    )
    merged = select(IncidentRedirectRow.incident_id, IncidentRedirectRow.target_id).where(
        IncidentRedirectRow.incident_id.startswith(beginning)
    )
    both = own.union_all(merged).order_by("incident_id").limit(_CANDIDATES_MAX + 1)
    found = connection.execute(both).all()
    if len({target for _, target in found}) == 1:
        return str(found[0].target)
    if found:
        shown = ", ".join(row.incident_id for row in found[:_CANDIDATES_MAX])
        more = ", …" if len(found) > _CANDIDATES_MAX else ""
        raise _not_found(
            f"more than one incident begins with {beginning}", f"Did you mean {shown}{more}?"
        )
    raise _not_found(f"no incident begins with {beginning}", _nearest(connection, beginning))


def _nearest(connection: Connection, beginning: str) -> str:
    """Incidents that share the longest beginning."""
    for length in range(len(beginning) - 1, 2, -1):
        query = (
            select(IncidentRow.incident_id)
            .where(IncidentRow.incident_id.startswith(beginning[:length]))
            .order_by(IncidentRow.incident_id)
            .limit(_CANDIDATES_MAX)
        )
        if alike := connection.scalars(query).all():
            return f"Did you mean {', '.join(alike)}?"
    return "`bigsec incidents list` shows what there is."


def _not_found(message: str, mend: str) -> NotFoundError:
    code, name = "BS3106", "store.no_such_thing"
    return NotFoundError(code, name, message, (Problem(code, name, message, mend=mend),))
