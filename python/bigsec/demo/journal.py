"""The files of the demo: lines are added in any order and written in the order of their times."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from pathlib import Path

from bigsec.demo.render import DNS_HEADER

# The name of a file is told with every record of it, and says that it is invented.
LINUX = "demo-linux.log"
ACCESS = "demo-access.log"
WINDOWS = "demo-windows.ndjson"
EVE = "demo-eve.json"
DNS = "demo-dns.log"
# From systems that still write GB18030; the scanner finds that out by itself.
OFFICE = "demo-oa.log"

ENCODINGS = {OFFICE: "gb18030"}
HEADERS = {DNS: DNS_HEADER}

_time = itemgetter(0)


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
            lines.sort(key=_time)
            text = "\n".join([*HEADERS.get(name, ()), *(line for _, line in lines), ""])
            path = folder / name
            path.write_bytes(text.encode(ENCODINGS.get(name, "utf-8")))
            os.utime(path, (now.timestamp(), now.timestamp()))
