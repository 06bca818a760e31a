"""The second engine: pySigma makes SQL of a rule, and SQLite asks it of a table of events."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.pipelines.sysmon import sysmon_pipeline
from sigma.pipelines.windows import windows_audit_pipeline, windows_logsource_pipeline
from sigma.processing.pipeline import ProcessingPipeline

_MISSING = re.compile(r"no such column: [\"`]?(.+?)[\"`]?$")
# Rules of these categories are tried on Windows' own audit log, too.
_AUDITED = ("process_creation", "registry")


class Table:
    """Flat events, a column for each name. Columns of numbers are named; all others hold text."""

    def __init__(self, events: Sequence[Mapping[str, Any]], numbers: Iterable[str] = ()) -> None:
        """Fill it; `_id` tells the events apart."""
        self._database = sqlite3.connect(":memory:")
        self._database.create_function("REGEXP", 2, _regexp, deterministic=True)
        names = list({name.lower(): name for event in events for name in event}.values())
        kinds = {name.lower(): "NUMERIC" for name in numbers}
        columns = (
            f"{_quoted(name)} {kinds.get(name.lower(), 'TEXT COLLATE NOCASE')}" for name in names
        )
        self._database.execute(f"CREATE TABLE logs ({', '.join(columns)})")
        places = ", ".join("?" * len(names))
        for event in events:
            by_name = {name.lower(): value for name, value in event.items()}
            row = [_stored(by_name.get(name.lower())) for name in names]
            self._database.execute(f"INSERT INTO logs VALUES ({places})", row)  # noqa: S608

    def matched(self, queries: Iterable[str]) -> set[str]:
        """The ids of the events that any of the queries finds."""
        return {one for query in queries for one in self._asked(query)}

    def _asked(self, query: str) -> list[str]:
        query = query.replace("SELECT *", "SELECT _id", 1)
        while True:
            try:
                return [row[0] for row in self._database.execute(query)]
            except sqlite3.OperationalError as error:
                missing = _MISSING.match(str(error))
                if missing is None:
                    raise
                # No event has such a field: it is null in all of them.
                self._database.execute(f"ALTER TABLE logs ADD COLUMN {_quoted(missing[1])} TEXT")


def windows_queries(rule: str) -> list[str] | None:
    """The queries of a rule for Windows; None where pySigma cannot express it."""
    pipelines = [sysmon_pipeline() + windows_logsource_pipeline()]
    if any(f"category: {category}" in rule for category in _AUDITED):
        pipelines.append(windows_audit_pipeline() + windows_logsource_pipeline())
    made = [queries(rule, pipeline) for pipeline in pipelines]
    able = [one for one in made if one is not None]
    return [query for one in able for query in one] if able else None


def queries(rule: str, pipeline: ProcessingPipeline | None = None) -> list[str] | None:
    """The queries of a rule; None where pySigma cannot express it."""
    try:
        made: list[str] = sqliteBackend(pipeline).convert(SigmaCollection.from_yaml(rule))
    except (SigmaError, NotImplementedError):
        return None
    return made


def _regexp(pattern: str, value: object) -> bool:
    return value is not None and re.search(pattern, str(value)) is not None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _stored(value: object) -> object:
    match value:
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 63:
            return str(value)
        case list():
            # As the audit's XML has values without a name: one a line.
            return "\n".join(map(str, value))
        case dict():
            return json.dumps(value)
        case _:
            return value
