"""Alerts out of files: a table with a header (CSV), or an object a line (NDJSON), plain or packed.

A table and an object may have the plain names (`time`, `name`, `host` and their kin); an object may
also be a record of a sensor as `packs/sensors` describes it (eve.json, alerts.json, notice.log).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, Final, NamedTuple

from bigsec.detect.perceive.sensors import Sensors, Shape
from bigsec.detect.perceive.settings import Alert

__all__ = ["Fault", "read_alerts", "read_labels"]

_TIMES: Final = ("time", "timestamp", "@timestamp", "ts", "LogData.Timestamps")
_NAMES: Final = ("name", "detector", "alert", "rule", "signature", "title")
_HOSTS: Final = ("host", "hostname", "host.name", "agent.name", "device")
_LINE_MAX: Final = 1 << 20
# Seconds of the years 1970 to 2262; larger numbers are milliseconds, micro- or nanoseconds.
_SECONDS_MAX: Final = 9_223_372_036.0
_BASIC_OFFSET: Final = re.compile(r"([+-]\d\d)(\d\d)$")


class Fault(NamedTuple):
    """A line that is no alert, and why.

    other: it is whole, and a record of something else (a flow among the alerts of eve.json).
    """

    line: int
    what: str
    other: bool = False


def read_alerts(path: Path, sensors: Sensors) -> Iterator[Alert | Fault]:
    """The alerts of a file in their order, and a fault for each line that is none.

    Raises OSError where the file cannot be read. Their ids are the file's name and the line.
    """
    for line, record in _records(path):
        if isinstance(record, str):
            yield Fault(line, record)
        elif record:
            yield _alert(record, line, path.name, sensors)


def read_labels(path: Path, column: str) -> dict[str, str]:
    """What a column says of each alert, by the alerts' ids; empty where it says nothing.

    For judging afterwards: an alert itself has no label. Raises OSError.
    """
    return {
        _id(path.name, line): _text(_field(record, column))
        for line, record in _records(path)
        if not isinstance(record, str) and record
    }


def _records(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    """The records of a file with their lines; a text says why a line is none."""
    import pyarrow as pa  # type: ignore[import-untyped]

    with pa.input_stream(str(path), compression="detect") as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
        lines = _lines(text)
        first = next(lines, None)
        if first is None:
            return
        whole = _with(first, lines)
        yield from _objects(whole) if first.lstrip("\ufeff \t").startswith("{") else _rows(whole)


def _id(file: str, line: int) -> str:
    return f"{file}:{line:09}"


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first.removeprefix("\ufeff")
    yield from rest


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(_LINE_MAX):
        yield line


def _objects(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    import orjson

    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield number, f"no JSON: {error}"
            continue
        yield number, found if isinstance(found, dict) else "no object"


def _rows(lines: Iterator[str]) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    reader = csv.reader(lines)
    header = next(reader, [])
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, str(error)
            continue
        if row:
            yield reader.line_num, dict(zip(header, row, strict=False))


def _alert(record: Mapping[str, Any], line: int, file: str, sensors: Sensors) -> Alert | Fault:
    detector, host, times = _seen(record, sensors.shapes)
    if not detector:
        told = f"no name of an alert in {', '.join(_NAMES)} or a sensor's own field"
        return Fault(line, told, other=True)
    time_s = _time(_first(record, times))
    if time_s is None:
        return Fault(line, f"no time in {', '.join(times)}")
    if not host:
        return Fault(line, f"no host in {', '.join(_HOSTS)} or a sensor's own field")
    return Alert(time_s, detector[:512], host[:255], _id(file, line))


def _seen(record: Mapping[str, Any], shapes: Iterable[Shape]) -> tuple[str, str, tuple[str, ...]]:
    """What was seen, on which host, and the fields that may have the time."""
    for shape in shapes:
        if any(_field(record, name) is None for name in shape.needs):
            continue
        *others, name = (_text(_field(record, field)) for field in shape.detector)
        if name:
            host = _text(_first(record, shape.hosts)) or _text(_first(record, _HOSTS))
            told = ": ".join([*filter(None, others), name])
            return shape.prefix + told, host, shape.times + _TIMES
    return _text(_first(record, _NAMES)), _text(_first(record, _HOSTS)), _TIMES


def _first(record: Mapping[str, Any], names: Iterable[str]) -> Any:
    found = (_field(record, name) for name in names)
    return next((value for value in found if value not in (None, "", [])), None)


def _field(record: Mapping[str, Any], name: str) -> Any:
    """A field by its name, or by the names of the objects that it stands in; of a list of objects
    the first.
    """
    if name in record:
        return record[name]
    value: Any = record
    parts = name.split(".")
    for number, part in enumerate(parts):
        if isinstance(value, list) and value:
            value = value[0]
        if not isinstance(value, Mapping):
            return None
        if part not in value:
            # A name may have dots of its own.
            return value.get(".".join(parts[number:]))
        value = value[part]
    return value


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return value.strip() if isinstance(value, str) else ""


def _time(value: Any) -> float | None:
    """Seconds since 1970 UTC of a number or of ISO 8601; without an offset it is UTC."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return _moment(value) if isinstance(value, str) else None
    if not isfinite(number) or number < 0:
        return None
    while number > _SECONDS_MAX:
        number /= 1000.0
    return number


def _long_date(text: str) -> float | None:
    """`Tue Dec  1 07:15:39 2026`, as C's `asctime` writes it."""
    try:
        moment = datetime.strptime(text.strip(), "%a %b %d %H:%M:%S %Y")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp()


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(_BASIC_OFFSET.sub(r"\1:\2", text.strip()))
    except ValueError:
        return _long_date(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.timestamp()
    except (OverflowError, ValueError):
        return None
