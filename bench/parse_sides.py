"""One side of `parse.py`: reads a file of lines once, and tells what that cost.

python bench/parse_sides.py KIND FILE [COLUMN [THREADS]]
"""

from __future__ import annotations

import json
import re
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

Counted = tuple[int, int]

ACCESS = re.compile(
    rb'^(\S+) (\S+) (\S+) \[([^\]]+)\] "(\S+) (\S+) ([^"]*)" (\d+) (\S+) "([^"]*)" "([^"]*)"'
)
SYSLOG = re.compile(rb"^(\w{3} [ \d]\d \d\d:\d\d:\d\d) (\S+) ([^\[:]+)(?:\[(\d+)\])?: (.*)")
PAIR = re.compile(rb'([\w.-]+)=("(?:[^"\\]|\\.)*"|\S*)')


def main(arguments: list[str]) -> None:
    """Print one JSON object."""
    kind, path, *more = arguments
    read = ready(kind, Path(path), more)
    threads = int(more[1]) if len(more) > 1 else 1
    cpu, wall = time.process_time(), time.perf_counter()
    counted = [read()] if threads == 1 else _in_threads(read, threads)
    row = {
        "lines": sum(lines for lines, _ in counted),
        "with_field": sum(with_field for _, with_field in counted),
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "rss_kib_max": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    print(json.dumps(row))


def ready(kind: str, path: Path, more: list[str]) -> Callable[[], Counted]:
    """The work of a side, with everything imported that it needs."""
    if kind == "bigsec":
        return _bigsec(path, more[0])
    if kind == "pyarrow":
        return _pyarrow(path)
    each = {
        "re-apache": lambda line: ACCESS.match(line) is not None,
        "re-syslog": lambda line: SYSLOG.match(line) is not None,
        "re-pairs": lambda line: b"devname" in dict(PAIR.findall(line)),
        "orjson": _orjson(),
    }[kind]
    return lambda: _lines(path, each)


def _bigsec(path: Path, column: str) -> Callable[[], Counted]:
    import pyarrow
    from pyarrow import compute

    import bigsec

    packs = bigsec.default_packs()

    def read() -> Counted:
        lines = with_field = 0
        for batch in bigsec.read(path, packs=packs):
            lines += batch.num_rows
            first, *inner = column.split(".")
            array = pyarrow.record_batch(batch).column(first)
            for part in inner:
                array = compute.struct_field(array, part)
            with_field += len(array) - array.null_count
        return lines, with_field

    return read


def _pyarrow(path: Path) -> Callable[[], Counted]:
    import pyarrow
    from pyarrow import csv

    names = next(
        line.split("\t")[1:]
        for line in path.read_text(errors="replace")[:65536].split("\n")
        if line.startswith("#fields")
    )

    def read() -> Counted:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(skip_rows=8, column_names=names, use_threads=False),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=csv.ConvertOptions(
                column_types={name: pyarrow.string() for name in names}
            ),
        )
        column = table.column("id.orig_h")
        return table.num_rows, table.num_rows - column.null_count

    return read


def _orjson() -> Callable[[bytes], bool]:
    import orjson

    return lambda line: "flow_id" in orjson.loads(line)


def _lines(path: Path, each: Callable[[bytes], bool]) -> Counted:
    lines = with_field = 0
    with path.open("rb") as file:
        for line in file:
            lines += 1
            with_field += each(line)
    return lines, with_field


def _in_threads(read: Callable[[], Counted], count: int) -> list[Counted]:
    found: list[Counted] = []
    workers = [threading.Thread(target=lambda: found.append(read())) for _ in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
