"""Where the demo keeps what it makes: a folder of its own, which real data never shares."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOGS: Final = "logs"
MARK: Final = "DEMO"
_MARKED: Final = "Made by `bigsec demo`: everything here is invented.\n"


class NotDemoError(Exception):
    """The folder holds something that the demo did not make."""


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """BIGSEC_DEMO_DIR, or a folder below the one where this system keeps a user's data."""
    if named := environment.get("BIGSEC_DEMO_DIR"):
        return Path(named)
    return _user_data(environment) / "bigsec" / "demo"


def _user_data(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    named = environment.get("XDG_DATA_HOME", "")
    # The standard has relative paths passed over.
    return Path(named) if named.startswith("/") else Path.home() / ".local" / "share"


def purge(folder: Path) -> bool:
    """Remove the demo, whole. False: there was none.

    Raises NotDemoError for a folder that lacks the demo's mark, and leaves it alone; raises
    StoreLockedError where a demo is just being made there.
    """
    if not folder.exists():
        return False
    with _held(folder):
        _remove_content(folder)
    shutil.rmtree(folder)
    return True


def prepare(folder: Path) -> Path:
    """Make an empty, marked folder, in place of an older demo; give that of its logs.

    Raises as `purge` does.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _held(folder):
        _remove_content(folder)
        (folder / MARK).write_text(_MARKED, encoding="utf-8")
        logs = folder / LOGS
        logs.mkdir(mode=0o700)
    return logs


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    from bigsec.store.lock import LOCK_NAME, FolderLock

    strangers = [one for one in folder.iterdir() if one.name != LOCK_NAME]
    if strangers and not (folder / MARK).is_file():
        raise NotDemoError(str(folder))
    lock = FolderLock(folder)
    lock.take()
    try:
        yield
    finally:
        lock.drop()


def _remove_content(folder: Path) -> None:
    """All but the lock, which another process may be about to take; the mark last, so that what
    is left after a crash is still known as the demo's."""
    from bigsec.store.lock import LOCK_NAME

    for one in sorted(folder.iterdir(), key=lambda path: path.name == MARK):
        if one.name == LOCK_NAME:
            continue
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink()
