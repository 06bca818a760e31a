"""Makes the modules of `bench/` importable, as they are for its scripts."""

from __future__ import annotations

import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
# The benches of the daemon start it as its tests do.
sys.path.insert(0, str(BENCH.parent / "tests" / "collect"))
