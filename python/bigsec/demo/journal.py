"""The files of the demo: lines are added in any order and written in the order of their times."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

AUTH = "auth.log"
ACCESS = "access.log"
WINDOWS = "windows.ndjson"
EVE = "eve.json"
# From systems that still write GB18030; the scanner finds that out by itself.
OFFICE = "oa.log"
ENCODINGS = {OFFICE: "gb18030"}


@dataclass
class Journal:
    """Collects the lines of all files."""

    lines: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)

    def add(self, file: str, at: datetime, line: str) -> None:
        """Add a line that its device wrote at a time."""
        self.lines.setdefault(file, []).append((at, line))

    def write(self, folder: Path, now: datetime) -> None:
        """Write every file. Its time of change is `now`: lines without a year are dated by it."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, lines in self.lines.items():
            ordered = sorted(lines, key=lambda line: line[0])
            text = "".join(f"{line}\n" for _, line in ordered)
            path = folder / name
            path.write_bytes(text.encode(ENCODINGS.get(name, "utf-8")))
            os.utime(path, (now.timestamp(), now.timestamp()))
