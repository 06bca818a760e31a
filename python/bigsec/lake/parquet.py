"""Events as Parquet files: sorted by time, with what lets a reader pass over most of a file."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from bigsec.lake.catalogue import LakeFile

__all__ = ["MAP_PREFIX", "arranged", "write_file"]

ROW_GROUP_ROWS: Final = 65_536
"""Small enough to pass over much, large enough for dictionaries to pay."""
LEVELS: Final = (1, 3)
"""How hard to compress what is soon merged, and what was merged."""
MAP_PREFIX: Final = b"bigsec.field_map."
_SOUGHT: Final = ("event_id", "src_ip", "dst_ip", "user_name")
# Elsewhere compression finds what is repeated, in less time and room than dictionaries.
_REPEATED: Final = ("src_ip", "dst_ip", "user_name", "source", "parser", "field_map")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).date()
_DAY_US: Final = 86_400_000_000


def arranged(table: Any) -> list[tuple[str, int, Any]]:
    """The events by day of receipt (UTC) and class, each part in order of time.

    Each is (day, class, table). All are put in order at once: to move events is what costs, for
    they are 137 columns wide.
    """
    if table.num_rows == 0:
        return []
    days = pc.divide(pc.cast(table["time_received"], pa.int64()), _DAY_US)
    key = pa.table(
        {
            "day": days,
            "class": pc.fill_null(table["class_uid"], 0),
            "time": table["time_effective"],
            "id": table["event_id"],
        }
    )
    order = pc.sort_indices(key, sort_keys=[(name, "ascending") for name in key.schema.names])
    groups = key.take(order).group_by(["day", "class"], use_threads=False)
    counted = groups.aggregate([([], "count_all")])
    ordered = _taken(table, order)
    parts: list[tuple[str, int, Any]] = []
    start = 0
    for day, class_uid, rows in zip(
        *(counted[name].to_pylist() for name in ("day", "class", "count_all")), strict=True
    ):
        parts.append((_day(day), class_uid, ordered.slice(start, rows)))
        start += rows
    return parts


def _taken(table: Any, order: Any) -> Any:
    """The rows in this order; as they are where that is it."""
    if pc.all(pc.equal(order, pa.array(range(len(order)), order.type))).as_py():
        return table
    batches = table.combine_chunks().to_batches()
    if len(batches) == 1:  # else more than 2 GiB of text
        return pa.Table.from_batches([batches[0].take(order)])
    return table.take(order)


def write_file(folder: Path, day: str, class_uid: int, level: int, table: Any) -> LakeFile:
    """Write events, which are in order of time, as a new file of the lake: durable under its name
    before this returns."""
    table = _lean(table)
    name = f"data/{day}/{class_uid}/{level}-{uuid.uuid4().hex}.parquet"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_suffix(".new")
    with passing.open("wb") as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            compression_level=LEVELS[min(level, 1)],
            row_group_size=ROW_GROUP_ROWS,
            use_dictionary=list(_REPEATED),
            write_page_index=True,
            sorting_columns=pq.SortingColumn.from_ordering(table.schema, [("time_effective")]),
            bloom_filter_options={name: {"ndv": min(table.num_rows, 100_000)} for name in _SOUGHT},
        )
        file.flush()
        os.fsync(file.fileno())
    os.replace(passing, path)
    _flush_folder(path.parent)
    times = pc.cast(table["time_effective"], pa.int64())
    size = path.stat().st_size
    first, last = times[0].as_py(), times[-1].as_py()
    return LakeFile(name, day, class_uid, level, table.num_rows, size, first, last)


def _lean(table: Any) -> Any:
    """The table without the field maps that none of its events names: they are many."""
    named = {name.encode() for name in pc.unique(table["field_map"]).to_pylist() if name}
    kept = {
        key: value
        for key, value in (table.schema.metadata or {}).items()
        if not key.startswith(MAP_PREFIX) or key.removeprefix(MAP_PREFIX) in named
    }
    return table.replace_schema_metadata(kept)


def _day(days: int) -> str:
    """Days since 1970 as a date; a clock far off gives the first or last date there is."""
    try:
        return (_EPOCH + timedelta(days=days)).isoformat()
    except OverflowError:
        return (date.max if days > 0 else date.min).isoformat()


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
