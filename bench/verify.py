"""How long does the verification of a log take, beside the bare hash over the same bytes?

    python bench/verify.py [--records N] [--json]

The log holds records of 300 bytes. The bare hash is SHA-256 (OpenSSL's) over the same bytes as one
stream, which no proof of single records can be; CPU and wall-clock seconds, interpreter excluded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bigsec._core import EvidenceLog

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent / "tests" / "collect"))

from support.daemon import Daemon  # noqa: E402
from support.sources import Sources  # noqa: E402

import acknowledge  # noqa: E402


def main(arguments: list[str]) -> int:
    """Print the table, or the row as JSON."""
    made = argparse.ArgumentParser(prog="verify.py", description=(__doc__ or "").split("\n")[0])
    made.add_argument("--records", type=int, default=1_000_000)
    made.add_argument("--json", action="store_true", help="one row a line")
    options = made.parse_args(arguments)
    for kind, segment_bytes in (("raw", 1 << 30), ("sealed", 16 << 20)):
        with tempfile.TemporaryDirectory(prefix="bigsec-bench-", dir=Path.cwd()) as name:
            row = measure(Path(name), options.records, segment_bytes)
        if options.json:
            print(json.dumps({"log": kind, **row}), flush=True)
        else:
            print(f"{kind:7}" + "  ".join(f"{key} {value:,}" for key, value in row.items()))
    return 0


def measure(folder: Path, records: int, segment_bytes: int) -> dict[str, float]:
    """One log, verified and hashed."""
    sources = Sources()
    address = sources.listen("in", "http")
    size = f"segment_bytes = {segment_bytes}"
    daemon = Daemon(folder / "relay", sources.text, more="[rules]\nenabled = false", log=size)
    try:
        daemon.start()
        for _ in range(10):
            acknowledge.HttpSender(records // 10, 1_000).send(address)
        while daemon.status()["consumer"]["lag"] > 0:
            time.sleep(0.1)
        deadline = time.monotonic() + 120
        while (log := daemon.status()["log"])["sealed"] < log["segments"] - 1:
            if time.monotonic() > deadline:
                raise SystemExit(f"failed: {log['sealed']} of {log['segments']} segments sealed")
            time.sleep(0.2)
        daemon.stop(120)
        folder = daemon.evidence
        report, cpu_s, wall_s = timed(lambda: json.loads(EvidenceLog(str(folder)).verify()))
    finally:
        daemon.drop()
    if not report["ok"] or report["records"] < records:
        raise SystemExit(f"failed: {report}")
    block = os.urandom(report["bytes"] // 16)
    _, hash_cpu_s, hash_wall_s = timed(lambda: hashed(block, 16))
    sealed = sum(path.suffix == ".segz" for path in folder.iterdir())
    return {
        "records": report["records"],
        "megabytes": report["bytes"] >> 20,
        "segments": report["segments"],
        "sealed": sealed,
        "cpu_s": round(cpu_s, 3),
        "wall_s": round(wall_s, 3),
        "hash_s": round(hash_cpu_s, 3),
        "ratio_cpu": round(hash_cpu_s / cpu_s, 2),
        "ratio_wall": round(hash_wall_s / wall_s, 2),
    }


def hashed(block: bytes, times: int) -> str:
    """The digest of a block again and again."""
    state = hashlib.sha256()
    for _ in range(times):
        state.update(block)
    return state.hexdigest()


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What the work gives, its CPU seconds, its seconds by the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    done = work()
    return done, time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
