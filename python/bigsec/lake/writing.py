"""Events of a log into a lake: gathered for seconds, then sealed in files, each event once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import pyarrow as pa  # type: ignore[import-untyped]

from bigsec.lake.catalogue import Catalogue
from bigsec.lake.parquet import arranged, write_file

__all__ = ["LakeWriter"]

SEAL_S: Final = 3.0
"""How long an event waits at most: with the way through the log it can be found within 5 s."""
SEAL_ROWS: Final = 200_000
SEAL_BYTES: Final = 256 << 20


class LakeWriter:
    """Writes the events of one log, in the order of its sequences.

    position: the sequence before which all its records are in the lake; -1 where none is.
    """

    def __init__(self, folder: Path, log: str) -> None:
        self._folder = folder
        self._log = log
        self._catalogue = Catalogue.make(folder)
        self.position = self._catalogue.progress(log)
        self._batches: list[Any] = []
        self._rows = self._bytes = 0
        self._taken = self.position
        self._since: float | None = None

    def take(self, batch: Any, after: int) -> None:
        """Take the events of the records before `after` that were not taken yet; `batch` may be
        None where they gave none. Seals when much has gathered."""
        if after <= self._taken:
            return
        if batch is not None and len(batch):
            held = pa.record_batch(batch)
            self._batches.append(held)
            self._rows += held.num_rows
            self._bytes += held.nbytes
        self._taken = after
        self._since = self._since or time.monotonic()
        if self._rows >= SEAL_ROWS or self._bytes >= SEAL_BYTES:
            self.seal()

    @property
    def is_due(self) -> bool:
        """Whether something has waited long enough to be sealed."""
        return self._since is not None and time.monotonic() - self._since >= SEAL_S

    def seal(self) -> int:
        """Make all that was taken durable and findable; gives the position."""
        if self._taken > self.position:
            files = []
            if self._batches:
                table = pa.Table.from_batches(self._batches)
                files = [
                    write_file(self._folder, day, class_uid, 0, part)
                    for day, class_uid, part in arranged(table)
                ]
            self._catalogue.add(files, self._log, self._taken)
            self.position = self._taken
        self._batches, self._rows, self._bytes, self._since = [], 0, 0, None
        return self.position

    def set_back(self, position: int) -> None:
        """Go on from an earlier place: the log was set back to an older copy of itself."""
        self._catalogue.add([], self._log, position)
        self.position = self._taken = position
