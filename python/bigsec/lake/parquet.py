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

__all__ = ["MAP_PREFIX", "split", "write_file"]

ROW_GROUP_ROWS: Final = 65_536
"""Small enough to pass over much, large enough for dictionaries to pay."""
LEVEL: Final = 3
MAP_PREFIX: Final = b"bigsec.field_map."
_SOUGHT: Final = ("event_id", "src_ip", "dst_ip", "user_name")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).date()
_DAY_US: Final = 86_400_000_000


def split(table: Any) -> list[tuple[str, int, Any]]:
    """The events by day of receipt (UTC) and class: (day, class, table)."""
    days = pc.divide(pc.cast(table["time_received"], pa.int64()), _DAY_US)
    keyed = pa.table({"day": days, "class": pc.fill_null(table["class_uid"], 0)})
    found = keyed.group_by(["day", "class"]).aggregate([])
    parts: list[tuple[str, int, Any]] = []
    for day, class_uid in zip(*(found[name].to_pylist() for name in ("day", "class")), strict=True):
        mask = pc.and_(pc.equal(keyed["day"], day), pc.equal(keyed["class"], class_uid))
        whole = found.num_rows == 1
        parts.append((_day(day), class_uid, table if whole else table.filter(mask)))
    return sorted(parts, key=lambda part: part[:2])


def write_file(folder: Path, day: str, class_uid: int, level: int, table: Any) -> LakeFile:
    """Write events as a new file of the lake, durable under its name before this returns."""
    table = _lean(table.sort_by([("time_effective", "ascending"), ("event_id", "ascending")]))
    name = f"data/{day}/{class_uid}/{level}-{uuid.uuid4().hex}.parquet"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_suffix(".new")
    with passing.open("wb") as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            compression_level=LEVEL,
            row_group_size=ROW_GROUP_ROWS,
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
