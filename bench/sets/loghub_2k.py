"""Loghub's samples of 16 systems: every value of the table beside each log must stand in its event.

A value counts where it is the whole of a column or field of its record's event, white space at the
ends aside. Those of which the table makes a time (`Date`, `Time`, `Month` and the like) count
once, where the event's time is the one that another reader, `datetime.strptime`, gives.
The table's `Label` is of the data set, and `EventTemplate` is what others made of the message.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import bigsec
from corpus import lines, named
from fields import Event, events
from scorer import share
from sets import Case, Inputs, Line, Void

# Columns of a system that make its time, and how to read them joined by blanks.
TIMES: dict[str, tuple[tuple[str, ...], str]] = {
    "Android": (("Date", "Time"), "%m-%d %H:%M:%S.%f"),
    "Apache": (("Time",), "%a %b %d %H:%M:%S %Y"),
    "BGL": (("Time",), "%Y-%m-%d-%H.%M.%S.%f"),
    "HDFS": (("Date", "Time"), "%y%m%d %H%M%S"),
    "HPC": (("Time",), "epoch"),
    "Hadoop": (("Date", "Time"), "%Y-%m-%d %H:%M:%S,%f"),
    "HealthApp": (("Time",), "%Y%m%d-%H:%M:%S:%f"),
    "Linux": (("Month", "Date", "Time"), "%b %d %H:%M:%S"),
    "Mac": (("Month", "Date", "Time"), "%b %d %H:%M:%S"),
    "OpenSSH": (("Date", "Day", "Time"), "%b %d %H:%M:%S"),
    "OpenStack": (("Date", "Time"), "%Y-%m-%d %H:%M:%S.%f"),
    "Proxifier": (("Time",), "%m.%d %H:%M:%S"),
    "Spark": (("Date", "Time"), "%y/%m/%d %H:%M:%S"),
    "Thunderbird": (("Month", "Day", "Time"), "%b %d %H:%M:%S"),
    "Windows": (("Date", "Time"), "%Y-%m-%d %H:%M:%S"),
    "Zookeeper": (("Date", "Time"), "%Y-%m-%d %H:%M:%S,%f"),
}
OF_THE_TABLE = frozenset(("LineId", "EventId", "EventTemplate", "Label"))
# Other writings of the same time.
AGAIN = {"BGL": {"Timestamp", "Date"}, "Thunderbird": {"Timestamp", "Date"}}
SHOWN = 5


def score(inputs: Inputs) -> Iterator[Case]:
    """A case for each system, and one for all."""
    whole: Counter[str] = Counter()
    for folder in sorted(path for path in inputs.data.iterdir() if path.is_dir()):
        counts, missed = _system(folder)
        whole += counts
        examples = (Line(f"missed {count} x {what}") for what, count in missed.most_common(SHOWN))
        yield Case(folder.name, (*_lines(counts), *examples))
    if not whole["values got"]:
        raise Void(f"no value came out of {inputs.data}")
    yield Case("all", tuple(_lines(whole)))


def _lines(counts: Counter[str]) -> Iterator[Line]:
    for what in ("lines kept", "read by a pack", "values got", "times got"):
        yield share(what, counts[what], counts["values" if what == "values got" else "lines"])


def _system(folder: Path) -> tuple[Counter[str], Counter[str]]:
    system = folder.name
    stem = f"{system}_2k.log"
    log = named(folder, stem)
    table = b"\n".join(lines(named(folder, f"{stem}_structured.csv")))
    wanted = list(csv.DictReader(io.StringIO(table.decode())))
    records = list(lines(log))
    counts: Counter[str] = Counter({"lines": len(wanted)})
    missed: Counter[str] = Counter()
    read = list(events(bigsec.read(iter(records), name=log.name)))
    counts["lines kept"] = min(len(read), len(records))
    for row, event in zip(wanted, read, strict=True):
        counts["read by a pack"] += event.parser != "none"
        counts["times got"] += _has_time(system, row, event)
        have = _values(event)
        for name, value in _expected(system, row):
            counts["values"] += 1
            counts["values got"] += value in have
            if value not in have:
                missed[f"{name}: {value[:80]} ({event.parser})"] += 1
    return counts, missed


def _expected(system: str, row: dict[str, str]) -> Iterator[tuple[str, str]]:
    left_out = OF_THE_TABLE | set(TIMES[system][0]) | AGAIN.get(system, set())
    for name, text in row.items():
        value = (text or "").strip()
        if name not in left_out and value:
            yield name, value


def _values(event: Event) -> set[str]:
    fields = (value for values in event.fields.values() for value in values if value)
    return {str(value).strip() for value in (*event.columns.values(), *fields)}


def _has_time(system: str, row: dict[str, str], event: Event) -> bool:
    columns, layout = TIMES[system]
    text = " ".join(row[name] for name in columns)
    if "time" not in event.columns:
        return False
    time = datetime.fromisoformat(str(event.columns["time"]))
    if layout == "epoch":
        return int(time.timestamp()) == int(text)
    if layout == "%Y%m%d-%H:%M:%S:%f":
        text = f"{text.rpartition(':')[0]}:{text.rpartition(':')[2]:0>3}"
    expected = datetime.strptime(text, layout)
    same_year = "%Y" in layout or "%y" in layout
    got = time.replace(tzinfo=None) if same_year else time.replace(tzinfo=None, year=1900)
    return got == expected
