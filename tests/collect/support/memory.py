"""A cap on the memory of a process, by a control group of its own."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

_V1 = Path("/sys/fs/cgroup/memory")
_V2 = Path("/sys/fs/cgroup")


class MemoryCap:
    """A control group; `prefix` starts a command inside it."""

    def __init__(self, bytes_max: int) -> None:
        name = f"bigsec-test-{uuid.uuid4().hex[:8]}"
        if (_V1 / "memory.limit_in_bytes").exists():
            self.folder, limit = _V1 / name, "memory.limit_in_bytes"
            self._events = "memory.oom_control"
        elif "memory" in _read(_V2 / "cgroup.controllers").split():
            self.folder, limit = _V2 / name, "memory.max"
            self._events = "memory.events"
        else:
            pytest.skip("no control group for memory")
        try:
            self.folder.mkdir()
            (self.folder / limit).write_text(str(bytes_max))
        except OSError as error:
            pytest.skip(f"no control group for memory: {error}")

    @property
    def prefix(self) -> list[str]:
        """A command prefix."""
        script = f'echo $$ > "{self.folder}/cgroup.procs" && exec "$@"'
        return ["sh", "-c", script, "sh"]

    def kills(self) -> int:
        """How often the kernel killed for want of memory."""
        for line in _read(self.folder / self._events).splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
        return 0

    def remove(self) -> None:
        """Remove the group; its processes have ended."""
        if self.folder.exists():
            os.rmdir(self.folder)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
