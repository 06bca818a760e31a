"""What does a lake cost to write, and how do its answers compare with bare Parquet?

    python bench/lake.py [--rows N] [--rounds N] [--json]

Web and log-on events of one invented day, N in all, made from fewer whose times and
addresses are moved on. `write`: CPU seconds of the lake beside those of reading and
parsing the same lines. The questions: the lake through its filter language, against DuckDB with the
statement that a person would write over the same rows as bare Parquet sorted by time (`bare`), and
over the same without anything that prunes (`scan`). CPU seconds of the process, the best round.
"""

# ruff: noqa: S608  (the statements are our own)

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

import bigsec
from bigsec.lake import Lake, LakeWriter, Limits, Upkeep

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY_S = 86_400
SOUGHT = "203.0.113.77"
PART = 100_000
LIMITS = Limits(memory_bytes=2 << 30)


@dataclass(frozen=True)
class Question:
    """What is asked in three ways. opaque: the statement's condition with nothing to prune by."""

    name: str
    ours: Callable[[Lake], Any]
    bare: str
    opaque: str


def main(arguments: list[str]) -> int:
    """Print the table, or the rows as JSON."""
    made = argparse.ArgumentParser(prog="lake.py", description=(__doc__ or "").split("\n")[0])
    made.add_argument("--rows", type=int, default=2_000_000)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bigsec-bench-", dir=Path.cwd()) as name:
        for row in measure(Path(name), options.rows, options.rounds):
            shown = (
                json.dumps(row) if options.json else "  ".join(f"{k} {v}" for k, v in row.items())
            )
            print(shown, flush=True)
    return 0


def measure(folder: Path, rows: int, rounds: int) -> Iterator[dict[str, Any]]:
    """The cost of writing, then every question."""
    table, parse_s = parsed(min(rows, 200_000))
    yield {
        "case": "parse",
        "rows": table.num_rows,
        "events_a_cpu_s": round(table.num_rows / parse_s),
    }
    lake_folder, bare = folder / "lake", folder / "bare"
    bare.mkdir()
    writer, write_s = LakeWriter(lake_folder, "bench"), 0.0
    for number, part in enumerate(parts(table, rows)):
        pq.write_table(
            part.replace_schema_metadata(None), bare / f"{number:06}.parquet", compression="zstd"
        )
        batches = part.to_batches()
        began = time.process_time()
        for batch in batches:
            writer.take(batch, writer._taken + max(batch.num_rows, 1))
        writer.seal()
        write_s += time.process_time() - began
    began = time.process_time()
    Upkeep(lake_folder).run()
    merge_s = time.process_time() - began
    yield {
        "case": "write",
        "rows": rows,
        "events_a_cpu_s": round(rows / write_s),
        "with_merges": round(rows / (write_s + merge_s)),
        "share_of_parse": round((write_s + merge_s) / rows / (parse_s / table.num_rows), 2),
        "mib": sum(file.bytes for file in Lake(lake_folder).files()) >> 20,
    }
    lake = Lake(lake_folder, limits=LIMITS)
    for question in questions():
        yield asked(question, lake, bare, rounds)


def questions() -> list[Question]:
    """The issue's: an address, four hours with a filter, text, a pattern, users an hour."""
    low, high = START + timedelta(hours=10), START + timedelta(hours=14)
    span = f"time_effective >= '{low.isoformat()}' AND time_effective < '{high.isoformat()}'"
    hour = "epoch_us(time_effective) // 3600000000"
    return [
        Question(
            "address",
            lambda lake: lake.count(f"src_ip:{SOUGHT}"),
            f"SELECT count(*) FROM {{}} WHERE src_ip = '{SOUGHT}'",
            f"SELECT count(*) FROM {{}} WHERE concat(src_ip, '') = '{SOUGHT}'",
        ),
        Question(
            "four hours",
            lambda lake: lake.count("http_response.code:>=500", since=low, until=high),
            f"SELECT count(*) FROM {{}} WHERE {span} AND http_response.code >= 500",
            "SELECT count(*) FROM {} WHERE "
            + span.replace("time_effective", "(time_effective + INTERVAL 0 SECOND)")
            + " AND http_response.code >= 500",
        ),
        Question(
            "substring",
            lambda lake: lake.count("raw_data:*whoami*"),
            "SELECT count(*) FROM {} WHERE lower(raw_data) LIKE '%whoami%'",
            "SELECT count(*) FROM {} WHERE lower(raw_data) LIKE '%whoami%'",
        ),
        Question(
            "substring, Chinese",
            lambda lake: lake.count("raw_data:*登录失败*"),
            "SELECT count(*) FROM {} WHERE lower(raw_data) LIKE '%登录失败%'",
            "SELECT count(*) FROM {} WHERE lower(raw_data) LIKE '%登录失败%'",
        ),
        Question(
            "pattern",
            lambda lake: lake.count("raw_data:/who(ami|is)/"),
            "SELECT count(*) FROM {} WHERE regexp_matches(raw_data, 'who(ami|is)', 'i')",
            "SELECT count(*) FROM {} WHERE regexp_matches(raw_data, 'who(ami|is)', 'i')",
        ),
        Question(
            "users an hour",
            lambda lake: len(lake.histogram("user_name:*", seconds=3_600)),
            f"SELECT count(*) FROM (SELECT {hour} AS h, count(*) FROM {{}} "
            "WHERE user_name IS NOT NULL GROUP BY h)",
            f"SELECT count(*) FROM (SELECT {hour} AS h, count(*) FROM {{}} "
            "WHERE user_name IS NOT NULL GROUP BY h)",
        ),
        Question(
            "anywhere",
            lambda lake: lake.count("whoami"),
            "SELECT count(*) FROM {} WHERE contains(lower(raw_data), 'whoami')",
            "SELECT count(*) FROM {} WHERE contains(lower(raw_data), 'whoami')",
        ),
    ]


def asked(question: Question, lake: Lake, bare: Path, rounds: int) -> dict[str, Any]:
    """One question in three ways; their answers must be one."""
    events = f"read_parquet('{bare}/*.parquet')"
    best = [float("inf")] * 3
    for _ in range(rounds):
        answers = []
        for way, ask in enumerate(
            (
                lambda: question.ours(lake),
                lambda: by_hand(question.bare.format(events)),
                lambda: by_hand(question.opaque.format(events)),
            )
        ):
            began = time.process_time()
            answers.append(ask())
            best[way] = min(best[way], time.process_time() - began)
        if len(set(answers)) != 1 or not answers[0]:
            raise SystemExit(f"failed: {question.name}: {answers}")
    ours, by_bare, scan = best
    return {
        "case": question.name,
        "found": answers[0],
        "lake_s": round(ours, 3),
        "bare_s": round(by_bare, 3),
        "scan_s": round(scan, 3),
        "of_bare": round(ours / by_bare, 2),
        "of_scan": round(ours / scan, 2),
    }


def by_hand(sql: str) -> int:
    """A statement in an engine of its own, as the lake has one a question."""
    with duckdb.connect(config={"memory_limit": f"{LIMITS.memory_bytes}B"}) as link:
        (found,) = link.execute(sql).fetchone() or (0,)
    return int(found)


def parsed(rows: int) -> tuple[Any, float]:
    """Events of as many lines, and the CPU seconds of reading them."""
    text = "".join(line(number) for number in range(rows)).encode()
    began = time.process_time()
    batches = [pa.record_batch(batch) for batch in bigsec.read(text, keep_raw=True)]
    return pa.Table.from_batches(batches), time.process_time() - began


def line(number: int) -> str:
    """A line of a web server, or of a log-on."""
    at = START + timedelta(seconds=number % DAY_S)
    address = f"198.51.{number % 251}.{number * 7 % 253}"
    if number % 5 == 4:
        what = "登录失败" if number % 1_000 == 4 else "Failed password"
        return (
            f"<38>{at.strftime('%b %e %H:%M:%S')} host{number % 40} sshd[{number % 9_999}]: "
            f"{what} for user{number % 500} from {address} port {1_024 + number % 60_000} ssh2\n"
        )
    path = "/cgi?cmd=whoami" if number % 10_000 == 1 else f"/page/{number % 3_000}"
    code = 500 + number % 4 if number % 100 == 0 else 200
    return (
        f"{address} - - [{at.strftime('%d/%b/%Y:%H:%M:%S')} +0000] "
        f'"GET {path} HTTP/1.1" {code} {number % 9_000} "-" "Mozilla/5.0 (X11) v{number % 50}"\n'
    )


def parts(table: Any, rows: int) -> Iterator[Any]:
    """The events again and again up to so many, each with a time of its own through the day, and
    one address that stands in few."""
    done = 0
    while done < rows:
        start = done % max(table.num_rows - PART, 1)
        part = table.slice(start, min(PART, rows - done))
        count = part.num_rows
        micros = int(START.timestamp() * 1e6)
        step = DAY_S * 1_000_000 // rows
        times = pa.array(
            range(micros + done * step, micros + (done + count) * step, step)[:count], pa.int64()
        ).cast(pa.timestamp("us", tz="UTC"))
        ids = pa.array((done + at).to_bytes(16) for at in range(count))
        sought = pa.array(
            [SOUGHT if at == 7 and done % (PART * 5) == 0 else None for at in range(count)],
            pa.string(),
        )
        changed = {
            "event_id": ids.cast(pa.binary(16)),
            "time": times,
            "time_effective": times,
            "time_received": times,
            "src_ip": pc.coalesce(sought, part["src_ip"].combine_chunks()),
        }
        for name, values in changed.items():
            part = part.set_column(
                part.schema.get_field_index(name), part.schema.field(name), values
            )
        yield part
        done += count


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
