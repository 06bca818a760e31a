"""Runs the real command, in a pipe or on a terminal of its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True, slots=True)
class Done:
    """What a run left behind."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """A plain environment: English, UTC, no colour settings of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    plain = {"BIGSEC_LANG": "en", "TZ": "UTC", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    # Not in the home of whoever runs the tests, but in the folder of the test.
    plain["BIGSEC_DEMO_DIR"] = "demo-data"
    return {**kept, **plain, **more}


def command(*arguments: str | Path) -> list[str]:
    """The command line of a run."""
    return [sys.executable, "-m", "bigsec", *map(str, arguments)]


class Runner:
    """Runs `bigsec` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, *arguments: str | Path, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> Done:
        """Run with pipes on all sides."""
        done = subprocess.run(
            command(*arguments),
            input=stdin,
            capture_output=True,
            cwd=self.folder,
            env=environment(**(env or {})),
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def on_terminal(
        self, *arguments: str | Path, columns: int = 100, env: dict[str, str] | None = None
    ) -> Done:
        """Run with stdout and stderr each on a terminal."""
        sides = [pty.openpty(), pty.openpty()]
        process = subprocess.Popen(
            command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=sides[0][1],
            stderr=sides[1][1],
            cwd=self.folder,
            env=environment(COLUMNS=str(columns), **(env or {})),
        )
        shown: list[bytes] = [b"", b""]

        def read(index: int) -> None:
            while True:
                try:
                    piece = os.read(sides[index][0], 65536)
                except OSError:  # the other side is closed
                    return
                shown[index] += piece

        for _, theirs in sides:
            os.close(theirs)
        threads = [threading.Thread(target=read, args=(index,)) for index in (0, 1)]
        for thread in threads:
            thread.start()
        code = process.wait()
        for thread in threads:
            thread.join()
        for ours, _ in sides:
            os.close(ours)
        out, err = (one.decode().replace("\r\n", "\n") for one in shown)
        return Done(code, out, err)

    def interrupted(
        self, *arguments: str | Path, when: Callable[[], bool], stdin: int = subprocess.DEVNULL
    ) -> Done:
        """Run, and press Ctrl-C as soon as `when` holds."""
        process = subprocess.Popen(
            command(*arguments),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=environment(),
        )
        deadline = time.monotonic() + 60
        while not when() and process.poll() is None:
            assert time.monotonic() < deadline, "the moment to interrupt never came"
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return Done(process.returncode, out.decode(), err.decode())


@pytest.fixture
def bigsec(tmp_path: Path) -> Runner:
    """The command, run in a folder of the test's own."""
    return Runner(tmp_path)


@pytest.fixture
def cases() -> Path:
    """The case files of this room."""
    return CASES
