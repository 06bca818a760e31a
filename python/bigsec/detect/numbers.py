"""Numbers for people: `2026-000123`, counted within the year in which the store first saw them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, update

from bigsec.store import chunks
from bigsec.store.model import IncidentNumberRow, IncidentRedirectRow

__all__ = ["Numbers", "number_order"]


class Numbers:
    """Gives numbers within one transaction; `save` notes the last one."""

    def __init__(self, connection: Connection, year: int) -> None:
        self._connection = connection
        self._year = year
        known = connection.scalars(
            select(IncidentNumberRow.last).where(IncidentNumberRow.year == year)
        ).one_or_none()
        self._known = known is not None
        self._last = self._saved = known or 0

    def give(self, incident_ids: Sequence[str]) -> dict[str, str]:
        """The next numbers in this order; its old one to an incident that comes out of another."""
        back = self._take_back(incident_ids)
        given: dict[str, str] = {}
        for incident_id in incident_ids:
            if incident_id in back:
                given[incident_id] = back[incident_id]
            else:
                self._last += 1
                given[incident_id] = f"{self._year:04}-{self._last:06}"
        return given

    def _take_back(self, incident_ids: Sequence[str]) -> dict[str, str]:
        back: dict[str, str] = {}
        columns = (IncidentRedirectRow.incident_id, IncidentRedirectRow.number)
        for part in chunks(list(incident_ids)):
            among = IncidentRedirectRow.incident_id.in_(part)
            back.update(self._connection.execute(select(*columns).where(among)).all())
            self._connection.execute(delete(IncidentRedirectRow).where(among))
        return back

    def save(self) -> None:
        """Note the last number given."""
        if self._last == self._saved:
            return
        row = {"year": self._year, "last": self._last}
        if self._known:
            change = update(IncidentNumberRow).where(IncidentNumberRow.year == self._year)
            self._connection.execute(change.values(last=self._last))
        else:
            self._connection.execute(insert(IncidentNumberRow).values(**row))


def number_order(number: str) -> tuple[int, int]:
    """Sorts numbers as they were given, also beyond a million in a year."""
    year, _, count = number.partition("-")
    return int(year), int(count)
