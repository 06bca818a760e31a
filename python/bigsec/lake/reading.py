"""Questions to a lake: events, how many over time, the most frequent values, exports."""

# ruff: noqa: S608  (statements are made of our own words and known columns; values stand beside)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]

from bigsec.errors import LakeError, Problem, QueryError
from bigsec.lake.catalogue import NAME, Catalogue, LakeFile
from bigsec.lake.columns import columns, near
from bigsec.lake.condition import Condition
from bigsec.lake.engine import Limits, connected, timed
from bigsec.lake.filtering import condition_of
from bigsec.lake.shape import as_events

__all__ = ["Bucket", "Counted", "Lake"]

BATCH_ROWS: Final = 8_192
IDS_AT_ONCE: Final = 1_000
WINDOW_ROWS: Final = 50_000
_ORDER: Final = "ORDER BY time_effective DESC, event_id DESC"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Events of a stretch of time. start: its begin, UTC."""

    start: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A value and how many events have it; None for those that have none."""

    value: Any
    count: int

    @property
    def plain(self) -> Any:
        """The value as JSON has it: ids as hexadecimal digits, times as ISO 8601 in UTC."""
        if isinstance(self.value, bytes):
            return self.value.hex()
        if isinstance(self.value, datetime):
            return self.value.astimezone(UTC).isoformat()
        return self.value


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to read, and what of it."""

    files: list[LakeFile]
    condition: Condition


class Lake:
    """The events of a folder. Threads may share it; each question has a connection of its own.

    Filters are Lucene's query syntax over the columns of events (`docs/reference/filters.md`).
    since, until: `time_effective` in [since, until), aware of their zone.
    Raises LakeError where there is no lake, or a query needs more than it may; QueryError, with the
    column, for a filter that cannot be understood.
    """

    def __init__(self, folder: str | Path, *, limits: Limits | None = None) -> None:
        self._folder = Path(folder).absolute()
        if not (self._folder / NAME).is_file():
            raise LakeError("BS3205", "lake.none", f"{self._folder}: no lake stands here")
        self._catalogue = Catalogue(self._folder)
        self._limits = limits or Limits()

    def files(self) -> list[LakeFile]:
        """The files of the lake, latest first."""
        return self._catalogue.files()

    def query(
        self,
        text: str = "",
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = 100,
        only: list[str] | None = None,
    ) -> Iterator[Any]:
        """Events, latest first, as Arrow record batches; all of them where `limit` is None.

        only: top-level columns to give instead of all.
        """
        plan = self._plan(text, since, until)
        wanted = "*" if only is None else ", ".join(_top_level(name) for name in only)
        last = "" if limit is None else f" LIMIT {int(limit)}"
        yield from self._batches(plan, f"SELECT {wanted} FROM {{}} {_ORDER}{last}")

    def export(
        self,
        text: str = "",
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Any]:
        """All events, file by file in the order of their times' ends, without a limit: memory does
        not grow with their number."""
        plan = self._plan(text, since, until)
        for file in reversed(plan.files):
            yield from self._batches(_Plan([file], plan.condition), "SELECT * FROM {}")

    def events(
        self,
        text: str = "",
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        ordered: bool = False,
    ) -> Any:
        """All events as an Arrow reader in the event schema, with the field maps that they name: as
        `Rules.match` takes them. ordered: by their times; else file by file, in less memory."""
        plan = self._plan(text, since, until)
        if ordered:
            batches = self._in_order(text, since, until)
        else:
            batches = self.export(text, since=since, until=until)
        return as_events(batches, [self._folder / file.path for file in plan.files])

    def by_id(self, ids: Sequence[bytes]) -> Iterator[Any]:
        """Events by their ids (16 bytes), as Arrow record batches in no order."""
        plan = self._plan("", None, None)
        for start in range(0, len(ids), IDS_AT_ONCE):
            part = list(ids[start : start + IDS_AT_ONCE])
            sql = "SELECT * FROM {} WHERE event_id IN (SELECT unnest(?))"
            yield from self._batches(plan, sql, [part])

    def count(
        self, text: str = "", *, since: datetime | None = None, until: datetime | None = None
    ) -> int:
        """How many events."""
        rows = self._rows(self._plan(text, since, until), "SELECT count(*) FROM {}")
        return int(rows[0][0]) if rows else 0

    def histogram(
        self,
        text: str = "",
        *,
        seconds: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Bucket]:
        """How many events in each stretch of so many seconds; those without any are left out."""
        step = max(int(seconds), 1) * 1_000_000
        start = f"(epoch_us(time_effective) // {step}) * {step}"
        sql = f"SELECT {start} AS start, count(*) FROM {{}} GROUP BY start ORDER BY start"
        rows = self._rows(self._plan(text, since, until), sql)
        return [Bucket(datetime.fromtimestamp(at / 1e6, UTC), count) for at, count in rows]

    def top(
        self,
        column: str,
        text: str = "",
        *,
        limit: int = 10,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Counted]:
        """The most frequent values of a column; equally frequent ones by value."""
        sql = _leaf(column)
        asked = (
            f"SELECT {sql} AS value, count(*) AS events FROM {{}} "
            f"GROUP BY value ORDER BY events DESC, value LIMIT {int(limit)}"
        )
        rows = self._rows(self._plan(text, since, until), asked)
        return [Counted(value, count) for value, count in rows]

    def _plan(self, text: str, since: datetime | None, until: datetime | None) -> _Plan:
        condition = condition_of(text)
        parts, values = [condition.sql], list(condition.values)
        for sql, moment in (("time_effective >= ?", since), ("time_effective < ?", until)):
            if moment is not None:
                parts.append(sql)
                values.append(moment.astimezone(UTC))
        files = self._catalogue.files(_micros(since), _micros(until))
        return _Plan(files, Condition(" AND ".join(parts), values))

    def _in_order(self, text: str, since: datetime | None, until: datetime | None) -> Iterator[Any]:
        """All events by time. Sorted window by window: whole events are too wide to sort all."""
        minutes = self.histogram(text, seconds=60, since=since, until=until)
        start, rows = None, 0
        for at, minute in enumerate(minutes):
            start = start or minute.start
            rows += minute.count
            is_last = at + 1 == len(minutes)
            if rows >= WINDOW_ROWS or is_last:
                low = start if since is None else max(start, since)
                end = until if is_last else minutes[at + 1].start
                plan = self._plan(text, low, end)
                yield from self._batches(plan, "SELECT * FROM {} ORDER BY time_effective, event_id")
                start, rows = None, 0

    def _batches(self, plan: _Plan, sql: str, more: Sequence[Any] = ()) -> Iterator[Any]:
        """The batches of a statement; `{}` in it is where the events stand, `more` the values of
        what stands behind it."""
        if not plan.files:
            return
        with connected(self._folder, self._limits) as link:
            with timed(link, self._limits, str(self._folder)):
                statement, values = self._statement(plan, sql)
                reader = link.sql(statement, params=[*values, *more]).to_arrow_reader(BATCH_ROWS)
            while True:
                with timed(link, self._limits, str(self._folder)):
                    try:
                        batch = reader.read_next_batch()
                    except StopIteration:
                        return
                    except (pa.ArrowException, OSError) as error:
                        # The reader has no class of its own for what the engine raises.
                        told = str(error).split("\n", 1)[0]
                        raise LakeError(
                            "BS3204", "lake.limit", f"{self._folder}: {told}"
                        ) from error
                yield batch

    def _rows(self, plan: _Plan, sql: str) -> list[tuple[Any, ...]]:
        if not plan.files:
            return []
        with (
            connected(self._folder, self._limits) as link,
            timed(link, self._limits, str(self._folder)),
        ):
            return link.execute(*self._statement(plan, sql)).fetchall()

    def _statement(self, plan: _Plan, sql: str) -> tuple[str, list[Any]]:
        paths = [str(self._folder / file.path) for file in plan.files]
        events = (
            "(SELECT * FROM read_parquet(?, union_by_name = true, hive_partitioning = false) "
            f"WHERE {plan.condition.sql})"
        )
        return sql.format(events), [paths, *plan.condition.values]


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1e6)


def _leaf(name: str) -> str:
    column = columns().get(name)
    if column is None or column.kind == "list":
        raise _no_column(name)
    return column.sql


def _top_level(name: str) -> str:
    if name not in {path.split(".", 1)[0] for path in columns()}:
        raise _no_column(name)
    return f'"{name}"'


def _no_column(name: str) -> QueryError:
    meant = ", ".join(near(name))
    message = f"no column is called `{name}`" + (f"; perhaps {meant}" if meant else "")
    problem = Problem("BS3201", "query.invalid", message)
    return QueryError("BS3201", "query.invalid", message, (problem,))
