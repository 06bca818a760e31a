"""Calls the command line program and reads its answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast


def bigsec(*arguments: str, timeout_s: float = 300) -> subprocess.CompletedProcess[bytes]:
    """Run `bigsec` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "bigsec", *arguments],
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )


def verify(evidence: Path, *more: str) -> dict[str, Any]:
    """The report of `bigsec verify`, which must find nothing."""
    done = bigsec("verify", str(evidence), "--json", *more)
    assert done.returncode == 0, (
        f"verify ended with {done.returncode}:\n{done.stdout.decode()[-3000:]}\n"
        f"{done.stderr.decode()[-1000:]}"
    )
    return cast("dict[str, Any]", json.loads(done.stdout))
