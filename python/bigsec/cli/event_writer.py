"""Writing event batches as NDJSON, Parquet or an Arrow stream, to stdout or whole to a file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from bigsec.cli.exits import DISK_FULL
from bigsec.cli.usage import wrong_usage
from bigsec.cli.wording import text
from bigsec.errors import StoreFullError

if TYPE_CHECKING:
    from bigsec._core import Batch, EventReader
    from bigsec.collect import Input


class EventWriter(Protocol):
    """Takes batches one after the other."""

    def write(self, batch: Batch) -> None:
        """Write one batch."""


@contextmanager
def open_writer(
    to: str, path: str | None, reader: EventReader, *, inputs: Sequence[Input]
) -> Iterator[EventWriter]:
    """A writer over stdout, or over a file that appears under its name only when it is whole."""
    if path is None:
        with _format(to, sys.stdout.buffer, reader) as writer:
            yield writer
        sys.stdout.flush()
        return
    _refuse_input(path, inputs)
    opened = _whole_file if _is_replaceable(path) else _device
    with opened(path) as stream, _format(to, stream, reader) as writer:
        yield writer


@contextmanager
def _format(to: str, stream: BinaryIO, reader: EventReader) -> Iterator[EventWriter]:
    if to == "ndjson":
        yield _Ndjson(stream)
        return
    # Large, and needed for these two alone; the package ships no types.
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    schema = pa.schema(reader)
    if to == "parquet":
        with pq.ParquetWriter(stream, schema, compression="zstd") as parquet:
            yield _Table(parquet.write_batch)
    else:
        with pa.ipc.new_stream(stream, schema) as arrow:
            yield _Table(arrow.write_batch)


class _Ndjson:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, batch: Batch) -> None:
        self._stream.write(batch.to_ndjson())


class _Table:
    def __init__(self, write_batch: Any) -> None:
        self._write_batch = write_batch

    def write(self, batch: Batch) -> None:
        import pyarrow as pa

        self._write_batch(pa.record_batch(batch))


def _refuse_input(path: str, inputs: Sequence[Input]) -> None:
    """A file that is being read must not be replaced."""
    for one in inputs:
        if os.path.exists(path) and os.path.samefile(path, one.path):
            raise wrong_usage(text("parse.is_input", path=path))


def _is_replaceable(path: str) -> bool:
    """A device or a pipe is written to; a file of its name must never take its place."""
    return not os.path.exists(path) or os.path.isfile(path)


@contextmanager
def _device(path: str) -> Iterator[BinaryIO]:
    try:
        with open(path, "wb") as stream:
            yield stream
    except IsADirectoryError as error:
        raise _cannot_write(path, error) from error


@contextmanager
def _whole_file(path: str) -> Iterator[BinaryIO]:
    """A file under a name of its own, renamed once it stands on the disk."""
    path = os.path.realpath(path)  # a link stays, and what it leads to is replaced
    folder = os.path.dirname(path)
    try:
        descriptor, waiting = tempfile.mkstemp(dir=folder, prefix=".bigsec-", suffix=".part")
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(waiting, 0o666 & ~_umask())
        os.replace(waiting, path)
    except OSError as error:
        os.unlink(waiting)
        raise _cannot_write(path, error) from error
    except BaseException:
        os.unlink(waiting)
        raise


def _cannot_write(path: str, error: OSError) -> Exception:
    if error.errno in DISK_FULL:
        return StoreFullError("BS3103", "store.full", text("parse.full", path=path))
    return wrong_usage(text("parse.no_write", path=path, reason=error.strerror or str(error)))


def _umask() -> int:
    """The user's mask; there is no way to read it but to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
