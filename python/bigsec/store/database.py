"""An open store."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

from sqlalchemy import Connection, Engine, insert, select, tuple_, update

from bigsec.store.engine import writing
from bigsec.store.faults import GarbledError, faults
from bigsec.store.model import MetaRow, ScannedFileRow

__all__ = ["ScannedFile", "Store", "chunks"]

Value = TypeVar("Value")

_KEY: Final = re.compile("[0-9a-f]{64}")

CHUNK: Final = 5_000
"""Values in one `IN (…)`. SQLite built with its defaults takes 32,766 in a statement."""


def chunks(values: list[Value], size: int = CHUNK) -> Iterator[list[Value]]:
    """The values in lists of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file read to its end. prefix_hash, ordinal: which file; the rest: how it was then."""

    prefix_hash: str
    ordinal: int
    size: int
    content_hash: str
    path: str | None = None


class Store:
    """A store, open. Close it, or use it as a context manager.

    place: what it is called in messages. Threads may share it.
    """

    def __init__(self, engine: Engine, place: str) -> None:
        self.place = place
        self._reader = engine
        self._writer = writing(engine)
        self._key: bytes | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store."""
        with faults(self.place), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that alone may write; undone where its block raises."""
        with faults(self.place, writes=True), self._writer.begin() as connection:
            yield connection

    @property
    def key(self) -> bytes:
        """The store's own secret, from which the ids of incidents derive."""
        if self._key is None:
            with self.read() as connection:
                value = connection.scalars(
                    select(MetaRow.value).where(MetaRow.key == "incident_key")
                ).one()
                if not _KEY.fullmatch(value):
                    raise GarbledError("the key of its incidents is none")
            self._key = bytes.fromhex(value)
        return self._key

    def known_files(self) -> list[tuple[str, int, int, str]]:
        """Files of earlier scans, as `Scanner(known_files=…)` takes them."""
        columns = (
            ScannedFileRow.prefix_hash,
            ScannedFileRow.ordinal,
            ScannedFileRow.size,
            ScannedFileRow.content_hash,
        )
        order = (ScannedFileRow.prefix_hash, ScannedFileRow.ordinal)
        with self.read() as connection:
            return [
                (prefix, ordinal, size, content)
                for prefix, ordinal, size, content in connection.execute(
                    select(*columns).order_by(*order)
                )
            ]

    def remember_files(
        self,
        files: Iterable[ScannedFile | tuple[str, int, int, str]],
        *,
        seen_us: int | None = None,
    ) -> None:
        """Note files that were read to their end, as `Scanner.files` gives them.

        seen_us: when; None is now. A file that is known is brought up to date.
        """
        now_us = time.time_ns() // 1000 if seen_us is None else seen_us
        given = [file if isinstance(file, ScannedFile) else ScannedFile(*file) for file in files]
        latest = {(file.prefix_hash, file.ordinal): file for file in given}
        with self.write() as connection:
            known = _known_keys(connection, list(latest))
            for identity, file in latest.items():
                values = {"size": file.size, "content_hash": file.content_hash}
                if file.path is not None:
                    values["path"] = file.path
                if identity in known:
                    connection.execute(
                        update(ScannedFileRow)
                        .where(ScannedFileRow.prefix_hash == file.prefix_hash)
                        .where(ScannedFileRow.ordinal == file.ordinal)
                        .values(last_seen_us=now_us, **values)
                    )
                else:
                    connection.execute(
                        insert(ScannedFileRow).values(
                            prefix_hash=file.prefix_hash,
                            ordinal=file.ordinal,
                            first_seen_us=now_us,
                            last_seen_us=now_us,
                            **values,
                        )
                    )

    def close(self) -> None:
        """Close every connection. The store cannot be used after."""
        self._reader.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _known_keys(connection: Connection, identities: list[tuple[str, int]]) -> set[tuple[str, int]]:
    columns = (ScannedFileRow.prefix_hash, ScannedFileRow.ordinal)
    found: set[tuple[str, int]] = set()
    for part in chunks(identities):
        rows = connection.execute(select(*columns).where(tuple_(*columns).in_(part)))
        found.update((prefix, ordinal) for prefix, ordinal in rows)
    return found
