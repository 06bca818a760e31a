"""What is known of machines beside their logs: findings of scanners, and importance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast, get_args

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from bigsec.detect import rows
from bigsec.detect.assess.exploitability import Check, State
from bigsec.detect.moments import to_us, utc_now
from bigsec.store import Store, chunks
from bigsec.store.asset_model import AssetRow, FindingCheckRow

__all__ = ["add_checks", "checks_of", "criticality_of", "set_assets"]

NAME_MAX: Final = 255
PORT_MAX: Final = 65_535
CRITICALITY_MAX: Final = 4
_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,19}")
_CWE: Final = re.compile(r"CWE-\d{1,6}")
_AT_ONCE: Final = 500


def add_checks(store: Store, given: Iterable[Mapping[str, Any]]) -> int:
    """Keep what scanners said; returns how many rows were new.

    given: rows with asset, state (`present`, `absent`, `patched`), checked (a time), and what is
    known of cve, cwe, port, product, version, tool. The same row again changes nothing.
    Raises SchemaError naming the field.
    """
    made = [_check(row) for row in given]
    values = [
        {column.name: getattr(check, column.name) for column in FindingCheckRow.__table__.columns}
        for check in made
    ]
    with store.write() as connection:
        before = _count(connection)
        _insert(connection, FindingCheckRow, values)
        return _count(connection) - before


def set_assets(store: Store, given: Iterable[Mapping[str, Any]]) -> None:
    """Say how important machines are: rows with asset, criticality (1 to 4) and unit.

    Raises SchemaError naming the field.
    """
    now_us = to_us(utc_now())
    with store.write() as connection:
        for row in given:
            criticality = rows.number(row, "criticality", 0)
            if not 1 <= criticality <= CRITICALITY_MAX:
                raise rows.fault("criticality", criticality, f"1 to {CRITICALITY_MAX}")
            value = {
                "asset": _name(row, "asset", needed=True),
                "criticality": criticality,
                "unit": rows.optional_text(row, "unit"),
                "updated_us": now_us,
            }
            connection.execute(delete(AssetRow).where(AssetRow.asset == value["asset"]))
            _insert(connection, AssetRow, [value])


def checks_of(connection: Connection, assets: Iterable[str]) -> list[Check]:
    """All that was said of these machines."""
    found: list[Check] = []
    for part in chunks(sorted(assets)):
        query = select(FindingCheckRow.__table__).where(FindingCheckRow.asset.in_(part))
        for row in connection.execute(query).mappings():
            found.append(Check(**{**row, "state": cast(State, row["state"])}))
    return found


def criticality_of(connection: Connection, assets: Iterable[str]) -> int:
    """Of the most important of these machines; 0 where none is known."""
    highest = 0
    for part in chunks(sorted(assets)):
        query = select(func.max(AssetRow.criticality)).where(AssetRow.asset.in_(part))
        highest = max(highest, connection.scalar(query) or 0)
    return highest


def _check(row: Mapping[str, Any]) -> Check:
    checked = rows.moment(row, "checked")
    if checked is None:
        raise rows.fault("checked", None, "a time in ISO 8601")
    state = rows.text(row, "state")
    if state not in get_args(State):
        raise rows.fault("state", state, " or ".join(get_args(State)))
    port = rows.number(row, "port", 0)
    if not 0 <= port <= PORT_MAX:
        raise rows.fault("port", port, f"0 to {PORT_MAX}")
    return Check(
        asset=_name(row, "asset", needed=True),
        state=cast(State, state),
        checked_us=to_us(checked),
        cve=_named(row, "cve", _CVE, "CVE-2021-44228"),
        cwe=_named(row, "cwe", _CWE, "CWE-79"),
        port=port,
        product=_name(row, "product"),
        version=_name(row, "version"),
        tool=_name(row, "tool"),
    )


def _name(row: Mapping[str, Any], field: str, *, needed: bool = False) -> str:
    value = (rows.text(row, field) if needed else rows.text(row, field, "")).strip().casefold()
    if len(value) > NAME_MAX or (needed and not value) or "\0" in value:
        raise rows.fault(field, value, f"a name of at most {NAME_MAX} characters")
    return value


def _named(row: Mapping[str, Any], field: str, form: re.Pattern[str], example: str) -> str:
    value = rows.text(row, field, "").strip().upper()
    if value and not form.fullmatch(value):
        raise rows.fault(field, value, f"a name as in `{example}`")
    return value


def _count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(FindingCheckRow)) or 0


def _insert(connection: Connection, table: type[Any], values: list[dict[str, Any]]) -> None:
    """Rows that are not there yet."""
    make = insert_sqlite if connection.dialect.name == "sqlite" else insert_postgresql
    for first in range(0, len(values), _AT_ONCE):
        part = values[first : first + _AT_ONCE]
        connection.execute(make(table).on_conflict_do_nothing(), part)
