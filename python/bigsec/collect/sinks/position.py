"""How far a sink has come: a file of its own, so that no sink waits for another or the store."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Position", "read_position", "write_position"]


@dataclass(frozen=True, slots=True)
class Position:
    """Everything before `sequence` of a log was handed over; -1 before the first record it has.

    size, inode: of a file sink, how long its file was then, and which file that was.
    """

    log: str
    sequence: int
    size: int = 0
    inode: int = 0


def read_position(path: Path, log: str) -> Position | None:
    """The position in a log; None where there is none, or it is of another log or damaged.

    A damaged one is moved aside: the sink begins anew, and events come twice rather than never.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        found = Position(**json.loads(raw))
        sound = all(type(one) is int for one in (found.sequence, found.size))
        sound = sound and found.sequence >= -1 and found.size >= 0
    except (ValueError, TypeError):
        sound = False
    if not sound:
        os.replace(path, path.with_name(path.name + ".damaged"))
        return None
    return found if found.log == log else None


def write_position(path: Path, position: Position) -> None:
    """Keep a position, whole or not at all."""
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        json.dump(asdict(position), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
