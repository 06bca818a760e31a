"""Starts, watches, kills and stops `bigsec run`, on free ports and in a folder of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from .ports import HOST, free_port, wait_until

START_DEADLINE_S = 60.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Daemon:
    """One daemon; after `kill` or `stop` it can be started again on the same data and ports."""

    def __init__(
        self,
        folder: Path,
        sources: str,
        *,
        more: str = "",
        log: str = "",
        data: Path | None = None,
        prefix: Sequence[str] = (),
        supervised: bool = False,
    ) -> None:
        self.folder = folder
        self.data = data or folder / "data"
        self.prefix = list(prefix)
        self.supervised = supervised
        self.admin = free_port()
        self.config = folder / "bigsec.toml"
        self.output = folder / "daemon.log"
        self.starts = 0
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(parents=True, exist_ok=True)
        self.write_config(sources, more=more, log=log)

    def write_config(self, sources: str, *, more: str = "", log: str = "") -> None:
        """The configuration: sources as tables, and what else a test wants."""
        self.config.write_text(
            f'name = "relay-1.example"\ndata_dir = "{self.data}"\n'
            f'[admin]\nlisten = "{HOST}:{self.admin}"\n'
            f"[log]\n{log}\n{sources}\n{more}\n"
        )

    @property
    def evidence(self) -> Path:
        """The folder of the evidence log."""
        return self.data / "log"

    @property
    def store(self) -> Path:
        """The SQLite store."""
        return self.data / "store" / "bigsec.db"

    def launch(self) -> None:
        """Start the process; does not wait for it."""
        assert self.process is None, "it runs already"
        self.starts += 1
        more = ["--supervise"] if self.supervised else []
        run = [sys.executable, "-m", "bigsec", "run", "-c", str(self.config), *more]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*self.prefix, *run],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def start(self, deadline_s: float = START_DEADLINE_S) -> float:
        """Start it, wait until it is ready; gives the seconds that took."""
        self.launch()
        return self.wait_ready(deadline_s)

    def wait_ready(self, deadline_s: float = START_DEADLINE_S) -> float:
        """Wait for `/readyz`."""
        begin = time.monotonic()
        while not self.ready():
            assert self.running(), f"it ended with {self.ended()}: {self.tail()}"
            assert time.monotonic() < begin + deadline_s, f"not ready: {self.tail()}"
            time.sleep(0.02)
        return time.monotonic() - begin

    def ready(self) -> bool:
        """Whether `/readyz` says yes."""
        return self.get("/readyz")[0] == 200

    def get(self, path: str, timeout_s: float = 5.0) -> tuple[int, bytes]:
        """Ask the admin address; status 0 where nobody answers."""
        try:
            url = f"http://{HOST}:{self.admin}{path}"
            with urllib.request.urlopen(url, timeout=timeout_s) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def status(self) -> dict[str, Any]:
        """What `/status` says."""
        code, body = self.get("/status")
        assert code == 200, f"/status answers {code}: {self.tail()}"
        return cast("dict[str, Any]", json.loads(body))

    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def ended(self) -> int | None:
        """The exit code of a process that has ended."""
        return None if self.process is None else self.process.poll()

    def kill(self) -> None:
        """SIGKILL to the daemon itself, as the kernel's OOM killer does it."""
        process = self._own()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid(), signal.SIGKILL)
        process.wait(timeout=30)
        self.process = None

    def kill_and_wait(self) -> None:
        """SIGKILL to a supervised daemon; wait until another one is ready."""
        killed = self.pid()
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: self.pid() not in (killed, self._own().pid), 30, "another daemon")
        self.starts += 1
        self.wait_ready()

    def stop(self, deadline_s: float = 60.0) -> int:
        """SIGTERM, wait; gives the exit code."""
        process = self._own()
        if process.poll() is None:
            os.kill(self.pid(), signal.SIGTERM)
        try:
            code = process.wait(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"no stop within {deadline_s:.0f} s after SIGTERM: {self.tail()}"
            ) from None
        self.process = None
        return code

    def reload(self) -> None:
        """SIGHUP: take the configuration anew; does not wait."""
        os.kill(self.pid(), signal.SIGHUP)

    def drop(self) -> None:
        """End whatever still runs, at the end of a test."""
        if self.process is not None:
            if self.supervised:
                self.process.kill()
            self.kill()

    def pid(self) -> int:
        """The daemon's process id, also under a tracer or another wrapper."""
        process = self._own()
        if not self.prefix and not self.supervised:
            return process.pid
        return _descendant(process.pid, b"bigsec") or process.pid

    def tail(self, bytes_back: int = 2000) -> str:
        """The end of what it wrote about itself."""
        return self.output.read_bytes()[-bytes_back:].decode(errors="replace")

    def cpu_s(self) -> float:
        """User and system seconds of the process and its ended children."""
        fields = Path(f"/proc/{self.pid()}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(fields[at]) for at in range(11, 15)) / _TICKS_A_SECOND

    def rss_bytes(self) -> int:
        """Resident memory now."""
        return int(Path(f"/proc/{self.pid()}/statm").read_text().split()[1]) * _PAGE_BYTES

    def descriptors(self) -> int:
        """Open file descriptors."""
        return len(os.listdir(f"/proc/{self.pid()}/fd"))

    def threads(self) -> int:
        """Threads."""
        return len(os.listdir(f"/proc/{self.pid()}/task"))

    def _own(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "it does not run"
        return self.process


def _descendant(pid: int, word: bytes) -> int | None:
    """The process below `pid` whose command line is the daemon's own."""
    with contextlib.suppress(OSError):  # It ends while it is looked at.
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            line = Path(f"/proc/{child}/cmdline").read_bytes()
            if b"\0-m\0" + word + b"\0" in line and b"python" in line.split(b"\0", 1)[0]:
                return int(child)
            found = _descendant(int(child), word)
            if found is not None:
                return found
    return None
