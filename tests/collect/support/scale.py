"""The fast form of a fault test runs always, the long one with `make soak` (BIGSEC_SOAK=1)."""

from __future__ import annotations

import os
import random

SOAK = os.environ.get("BIGSEC_SOAK") == "1"


def scale(fast: int, soak: int) -> int:
    """The number for the form that runs."""
    return soak if SOAK else fast


def dice() -> random.Random:
    """Random numbers of a seed that is printed; BIGSEC_SEED sets another one."""
    seed = int(os.environ.get("BIGSEC_SEED", "5"))
    print(f"BIGSEC_SEED={seed}")
    return random.Random(seed)  # noqa: S311 (dice, no secrets)
