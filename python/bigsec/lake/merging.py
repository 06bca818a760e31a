"""The upkeep of a lake: small files become large ones, old days go, the rest is deleted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from bigsec.lake.catalogue import Catalogue, LakeFile
from bigsec.lake.engine import SPILL
from bigsec.lake.parquet import arranged, write_file

__all__ = ["KEEP_DAYS_MIN", "Upkeep"]

KEEP_DAYS_MIN: Final = 183
"""Logs of networks are kept for six months at least (Cybersecurity Law of the PRC, article 21)."""
MERGED: Final = 16
"""So many files of a level become one of the next."""
ROWS_MAX: Final = 500_000
"""A merge is sorted in memory: about a gigabyte of events."""
GRACE_S: Final = 600.0
"""A query that has begun may read for so long what was replaced meanwhile."""
SPILL_S: Final = 86_400.0
"""No query runs for a day; what lies there longer was left by one that was killed."""
ORPHAN_S: Final = 3_600.0
"""A file that no list names after an hour is of a writer that died."""


class Upkeep:
    """Merges, expires and cleans. One process does it; two do no harm but work twice."""

    def __init__(self, folder: Path, keep_days: int | None = None) -> None:
        if keep_days is not None and keep_days < KEEP_DAYS_MIN:
            raise ValueError(f"events are kept for {KEEP_DAYS_MIN} days at least")
        self._folder = folder
        self._catalogue = Catalogue.make(folder)
        self._keep_days = keep_days

    def run(self, now: datetime | None = None) -> int:
        """Everything that is due; gives how many files were written or let go of."""
        now = now or datetime.now(UTC)
        changed = sum(1 for _ in self.merge())
        changed += len(self.expire(now))
        self.clean()
        return changed

    def merge(self) -> Iterator[LakeFile]:
        """Merge files of one class and day as long as enough of one level lie there."""
        while plan := self._plan():
            level = plan[0].level + 1
            made = [
                write_file(self._folder, day, class_uid, level, part)
                for day, class_uid, part in arranged(self._read(plan))
            ]
            if not self._catalogue.replace(plan, made):
                return
            yield from made

    def expire(self, now: datetime) -> list[LakeFile]:
        """Let go of days of receipt that are older than is kept; gives their files."""
        if self._keep_days is None:
            return []
        before = (now - timedelta(days=self._keep_days)).date().isoformat()
        return self._catalogue.expire(before)

    def clean(self, grace_s: float = GRACE_S, orphan_s: float = ORPHAN_S) -> None:
        """Delete files that were let go of long enough ago, and those that no list names."""
        gone = self._catalogue.removed(time.time_ns() // 1_000 - int(grace_s * 1e6))
        for path in gone:
            (self._folder / path).unlink(missing_ok=True)
        self._catalogue.forget(gone)
        for left in (self._folder / SPILL).glob("query-*"):
            if _age_s(left) > SPILL_S:
                shutil.rmtree(left, ignore_errors=True)
        known = self._catalogue.known()
        for found in (self._folder / "data").rglob("*"):
            if found.suffix not in {".parquet", ".new"}:
                continue
            if str(found.relative_to(self._folder)) in known:
                continue
            if _age_s(found) > orphan_s:
                found.unlink(missing_ok=True)

    def _plan(self) -> list[LakeFile]:
        """Files to make one of; none where nothing is due."""

        def place(file: LakeFile) -> tuple[str, int, int]:
            return file.day, file.class_uid, file.level

        for _, group in groupby(sorted(self._catalogue.files(), key=place), key=place):
            chosen: list[LakeFile] = []
            rows = 0
            for file in sorted(group, key=lambda one: one.time_first):
                if file.rows >= ROWS_MAX or rows + file.rows > ROWS_MAX:
                    continue
                chosen.append(file)
                rows += file.rows
                if len(chosen) == MERGED:
                    return chosen
        return []

    def _read(self, files: list[LakeFile]) -> pa.Table:
        tables = [pq.read_table(self._folder / file.path, partitioning=None) for file in files]
        metadata: dict[bytes, bytes] = {}
        for table in tables:
            metadata |= table.schema.metadata or {}
        tables = [table.replace_schema_metadata(metadata) for table in tables]
        return pa.concat_tables(tables)


def _age_s(path: Path) -> float:
    """Seconds since it was changed; 0 where it is gone already."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
