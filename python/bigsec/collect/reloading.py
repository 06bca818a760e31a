"""What a reload changes, and where its result is left for whoever asked for it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bigsec._core import Rules
from bigsec.collect.settings import Settings
from bigsec.errors import BigsecError

__all__ = ["Reloads", "changes", "last_reload", "versions"]

VERSION_CHARS: Final = 12
FILE_NAME: Final = "last_reload.json"
_ABSENT: Final = object()


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every key whose value differs: `{"key", "old", "new"}`, null where there is none."""
    before, after = (dict(_leaves(one, "")) for one in (old, new))
    return [
        {"key": key, "old": before.get(key), "new": after.get(key)}
        for key in sorted(before.keys() | after.keys())
        if before.get(key, _ABSENT) != after.get(key, _ABSENT)
    ]


def versions(settings: Settings, rules: Rules | None) -> dict[str, str | None]:
    """What tells contents of rules and parser packs from others that stand in the same places."""
    packs = hashlib.sha256()
    if settings.packs.path is not None:
        for path in sorted(Path(settings.packs.path).glob("*.yaml")):
            with suppress(OSError):  # gone since it was loaded: the next reload shows it
                packs.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return {
        "packs.version": packs.hexdigest()[:VERSION_CHARS],
        "rules.version": rules.version[:VERSION_CHARS] if rules is not None else None,
    }


def last_reload(data_dir: Path) -> dict[str, Any] | None:
    """The result of the last reload: `count`, `ok`, `changes` or `problems`."""
    try:
        found = json.loads((data_dir / FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("count"), int) else None


class Reloads:
    """Leaves the result of each reload in a file of the data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def done(self, what: list[dict[str, Any]]) -> None:
        """The new configuration is in force."""
        self._write({"ok": True, "changes": what})

    def refused(self, error: BigsecError) -> None:
        """The old one stays in force."""
        problems = [asdict(one) for one in error.problems] or [
            {"code": error.code, "name": error.name, "message": error.message}
        ]
        self._write({"ok": False, "problems": problems})

    def _write(self, result: dict[str, Any]) -> None:
        last = last_reload(self._data_dir)
        count = (last["count"] if last else 0) + 1
        new = self._data_dir / f".{FILE_NAME}.new"
        try:
            new.write_text(json.dumps({"count": count, **result}), encoding="utf-8")
            os.replace(new, self._data_dir / FILE_NAME)
        except OSError:
            return  # A full disk: the daemon's own log has the result too.


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, below in value.items():
            yield from _leaves(below, f"{key}.{name}" if key else name)
    elif not isinstance(value, dict):
        yield key, value
