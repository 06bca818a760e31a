"""The daemon's log of itself: one JSON object a line, or text for a person who looks on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

from bigsec.errors import BigsecError, Problem

__all__ = ["Entry", "Level", "OwnLog"]

Level = Literal["debug", "info", "warning", "error"]
Entry = dict[str, Any]
VALUE_MAX: Final = 2_000
"""Characters of one value; a line of a log must never be the reason for a full disk."""


class OwnLog:
    """Writes entries; threads may share it.

    render: makes a line for people; None writes JSON.
    Warning: nothing was lost. Error: something was, or a person is needed.
    """

    def __init__(self, stream: TextIO, render: Callable[[Entry], str] | None = None) -> None:
        self._stream = stream
        self._render = render or _json
        self._lock = threading.Lock()

    def info(self, code: str, text: str, **more: Any) -> None:
        """Something worth knowing happened."""
        self.write("info", code, text, **more)

    def warning(self, code: str, text: str, **more: Any) -> None:
        """Something is amiss; nothing was lost."""
        self.write("warning", code, text, **more)

    def error(self, code: str, text: str, **more: Any) -> None:
        """Something was lost, or a person is needed."""
        self.write("error", code, text, **more)

    def failed(self, error: BigsecError, level: Level = "error") -> None:
        """An operation failed: its single faults, or its own message."""
        whole = Problem(code=error.code, name=error.name, message=error.message)
        for problem in error.problems or (whole,):
            self.problem(level, problem)

    def problem(self, level: Level, problem: Problem) -> None:
        """One fault with its place and mend."""
        place = {"file": problem.file, "line": problem.line} if problem.file else {}
        mend = {"mend": problem.mend} if problem.mend else {}
        self.write(level, problem.name, problem.message, number=problem.code, **place, **mend)

    def write(self, level: Level, code: str, text: str, **more: Any) -> None:
        """Write one entry; a reader that went away is no reason to stop."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry = {"time": time, "level": level, "code": code, "text": text[:VALUE_MAX], **more}
        line = self._render(entry) + "\n"
        with self._lock:
            try:
                self._stream.write(line)
                self._stream.flush()
            except (OSError, ValueError):
                return


def _json(entry: Entry) -> str:
    return json.dumps(entry, ensure_ascii=False, default=str, separators=(",", ":"))
