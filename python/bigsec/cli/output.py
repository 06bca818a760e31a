"""Writing results to stdout: the form follows the destination, unless it was named.

Rows are written as they come, in UTF-8 whatever the locale, so that an output of any length needs
no memory.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import BinaryIO, Protocol, TextIO

from bigsec.cli.terminal import is_terminal


class Format(StrEnum):
    """The form of the results."""

    TABLE = "table"
    NDJSON = "ndjson"
    JSON = "json"
    CSV = "csv"


# A spreadsheet takes a cell that begins so for a formula; the full-width forms too, because some
# fold them first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# A cell that is a number must stay one.
_NUMBER = re.compile(r"[+-]?[0-9]+([.][0-9]+)?\Z")
# C1 controls are legal in JSON text but steer some terminals: write them as the escapes they are.
_C1 = re.compile("[\x7f-\x9f\u2028\u2029]")


def choose(named: Format | None, json: bool, stream: TextIO | None = None) -> Format:
    """The format: as named, else a table for a terminal and NDJSON for a pipe."""
    if json:
        return Format.NDJSON
    if named is not None:
        return named
    return Format.TABLE if is_terminal(stream or sys.stdout) else Format.NDJSON


class Rows(Protocol):
    """A place that rows are written to, one after the other."""

    def write(self, row: Mapping[str, object]) -> None:
        """Write one row."""

    def close(self) -> None:
        """Write what belongs at the end, and flush."""


def rows(form: Format, columns: Sequence[str], stream: BinaryIO | None = None) -> Rows:
    """The writer of a format other than a table. columns: the header row of CSV."""
    stream = sys.stdout.buffer if stream is None else stream
    if form is Format.CSV:
        return _Csv(stream, columns)
    if form is Format.JSON:
        return _Json(stream)
    return _Ndjson(stream)


def to_json(value: object) -> bytes:
    """One value as JSON on one line; datetimes as ISO 8601, foreign characters as they are."""
    import orjson

    try:
        raw = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # orjson refuses lone surrogates, which stand for the bytes of a name that is not UTF-8.
        import json

        raw = json.dumps(value, default=str, separators=(",", ":")).encode()
    shown = raw.decode()
    if _C1.search(shown):
        return _C1.sub(lambda match: f"\\u{ord(match[0]):04x}", shown).encode()
    return raw


def cell(value: object) -> str:
    """One CSV cell: a list is joined, and what a spreadsheet would take for a formula is text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return to_json(value).decode()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        value = "; ".join(cell(item) if isinstance(item, Mapping) else str(item) for item in value)
    shown = str(value)
    if shown.startswith(_FORMULA) and not _NUMBER.match(shown):
        return "'" + shown
    return shown


class _Ndjson:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, row: Mapping[str, object]) -> None:
        self._stream.write(to_json(row) + b"\n")

    def close(self) -> None:
        self._stream.flush()


class _Json:
    """One array, written row by row."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lead = b"["

    def write(self, row: Mapping[str, object]) -> None:
        self._stream.write(self._lead + b"\n" + to_json(row))
        self._lead = b","

    def close(self) -> None:
        self._stream.write(b"[]\n" if self._lead == b"[" else b"\n]\n")
        self._stream.flush()


class _Csv:
    """UTF-8 with a byte order mark: without it Chinese editions of Excel take the file for GBK."""

    def __init__(self, stream: BinaryIO, columns: Sequence[str]) -> None:
        self._stream = stream
        self._columns = tuple(columns)
        self._stream.write(b"\xef\xbb\xbf")
        self._line(self._columns)

    def write(self, row: Mapping[str, object]) -> None:
        self._line([cell(row.get(name)) for name in self._columns])

    def close(self) -> None:
        self._stream.flush()

    def _line(self, cells: Sequence[str]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow(cells)
        self._stream.write(line.getvalue().encode("utf-8", "backslashreplace"))
