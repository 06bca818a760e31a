"""Writes the demo's files: ordinary lines of the last day, and the attacks among them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

from bigsec.demo import attacks, ordinary
from bigsec.demo.journal import Journal
from bigsec.demo.story import Story


def generate(folder: Path, now: datetime, seed: int = 1) -> list[Story]:
    """Write the files into a folder, and tell what a scan of them must find.

    now: an aware time; nothing is dated later, and the oldest line is a day older.
    seed: the same folder content for the same `now` and seed.
    """
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    end = now.astimezone(UTC).replace(microsecond=0)
    # Invented lines, not secrets: the generator need not be unpredictable, but repeatable.
    dice = random.Random(seed)  # noqa: S311
    journal = Journal()
    ordinary.write(journal, end, dice)
    stories = [tell(journal, end, dice) for tell in attacks.STORIES]
    journal.write(folder, end)
    return stories
