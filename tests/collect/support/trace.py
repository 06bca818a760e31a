"""Traces the daemon's system calls, and breaks or slows some of them, with strace."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_LINE = re.compile(r"^(?P<thread>[0-9]+) +(?P<rest>.*)$")
_CALL = re.compile(r"^(?P<name>[a-z0-9_]+)\((?P<arguments>.*)$")
_RESUMED = re.compile(r"^<\.\.\. (?P<name>[a-z0-9_]+) resumed>(?P<arguments>.*)$")
_UNFINISHED = " <unfinished ...>"
_RESULT = re.compile(r"\) += (?P<value>-?[0-9]+)")
_TARGET = re.compile(r"^[0-9]+<(?P<path>.*?)>")


@dataclass(frozen=True)
class Step:
    """One moment of a call: its beginning (`result` None) or its end, in the order of the trace."""

    thread: int
    name: str
    arguments: str
    result: int | None

    @property
    def target(self) -> str:
        """What the first argument, a descriptor, is open on."""
        found = _TARGET.match(self.arguments)
        return found["path"] if found else ""


def program() -> str:
    """strace; skips where there is none."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("no strace")
    return found


def tracer(output: Path, calls: str) -> list[str]:
    """A command prefix that writes these calls, with paths and whole buffers, to `output`."""
    options = ["-f", "-yy", "-s", "16777216", "--signal=none", "-e", f"trace={calls}"]
    return [program(), *options, "-o", str(output)]


def injector(call: str, what: str) -> list[str]:
    """A command prefix that changes one kind of call: `error=EIO:when=5`, `delay_exit=200000`."""
    options = ["-f", "--seccomp-bpf", "--signal=none", "-e", f"trace={call}"]
    return [program(), *options, "-e", f"inject={call}:{what}", "-o", "/dev/null"]


@contextmanager
def injected(pid: int, call: str, what: str, output: Path | None = None) -> Iterator[None]:
    """Change one kind of call of a process that runs; it goes on unharmed afterwards.

    output: where those that were changed end in ` (INJECTED)`.
    """
    options = ["-f", "-p", str(pid), "-e", f"trace={call}", "-e", f"inject={call}:{what}"]
    process = subprocess.Popen(
        [program(), *options, "-o", str(output or "/dev/null")],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not _traced(pid):
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < deadline, "strace does not attach"
            time.sleep(0.01)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def _traced(pid: int) -> bool:
    for thread in os.listdir(f"/proc/{pid}/task"):
        text = Path(f"/proc/{pid}/task/{thread}/status").read_text()
        if "\nTracerPid:\t0\n" in text:
            return False
    return True


def steps(output: Path) -> Iterator[Step]:
    """The beginnings and ends of the calls, in the order in which they happened."""
    open_calls: dict[int, str] = {}
    with output.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            found = _LINE.match(line.rstrip("\n"))
            if found is None:
                continue
            thread, rest = int(found["thread"]), found["rest"]
            if (resumed := _RESUMED.match(rest)) is not None:
                begun = open_calls.pop(thread, "")
                yield Step(thread, resumed["name"], begun, _result(resumed["arguments"]))
            elif (call := _CALL.match(rest)) is not None:
                arguments = call["arguments"]
                if arguments.endswith(_UNFINISHED):
                    arguments = arguments.removesuffix(_UNFINISHED)
                    open_calls[thread] = arguments
                    yield Step(thread, call["name"], arguments, None)
                else:
                    yield Step(thread, call["name"], arguments, None)
                    yield Step(thread, call["name"], arguments, _result(arguments))


def _result(text: str) -> int:
    found = _RESULT.findall(text)
    return int(found[-1]) if found else -1
