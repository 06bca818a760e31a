"""T17: the standard input as a source of the real daemon: what is piped in, its end, a stop."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.evidence import CONTINUED, records
from support.ports import wait_until

LIMIT = 1024
HOSTILE = [
    b"<34>Oct 11 22:14:15 host app: one",
    b"<34>Jan  1 1970 00:00:00 other.example app: a\0<34>b",
    b"<34>1 2099-12-31T23:59:59Z 192.0.2.1 app - - - far",
]


class Piped(Daemon):
    """A daemon with a pipe as its standard input."""

    def launch(self) -> None:
        """Start the process; does not wait for it."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bigsec", "run", "-c", str(self.config)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
            )

    def feed(self, sent: bytes) -> None:
        """Write into the pipe, all of it."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(sent)
        self.process.stdin.flush()

    def end(self) -> None:
        """Close the pipe."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.close()


@pytest.mark.parametrize("is_closed", [True, False])
def test_t17_what_is_piped_in_is_kept_line_by_line(tmp_path: Path, is_closed: bool) -> None:
    """T17: NUL, foreign names and times make no second record, no peer is claimed; a line beyond
    the limit goes on; a stop does not wait for a pipe that stays open."""
    daemon = Piped(
        tmp_path, '[sources.in]\ntype = "stdin"', more=f"[limits]\nrecord_bytes_max = {LIMIT}"
    )
    try:
        daemon.start()
        long = os.urandom(LIMIT).hex().encode()
        daemon.feed(b"\n".join([*HOSTILE, long, b"the last one"]) + (b"" if is_closed else b"\n"))
        if is_closed:
            daemon.end()
        wait_until(lambda: _lines(daemon)[-1:] == [b"the last one"], 10, "the last line")
        assert daemon.running(), "the end of the input is not the end of the daemon"
        begin = time.monotonic()
        assert daemon.stop(30) == 0, daemon.tail()
        print(f"stopped in {time.monotonic() - begin:.1f} s")
    finally:
        daemon.drop()
    kept = [one for one in records(daemon.evidence) if one.source == "in"]
    assert _lines(daemon) == [*HOSTILE, long[:LIMIT], long[LIMIT:], b"the last one"]
    assert [bool(one.flags & CONTINUED) for one in kept] == [False] * 4 + [True, False]
    assert all(one.peer == b"" for one in kept)


def _lines(daemon: Daemon) -> list[bytes]:
    return [one.payload for one in records(daemon.evidence) if one.source == "in"]
