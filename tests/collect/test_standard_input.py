"""Standard input as whole lines, bounded, and ended from outside."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from bigsec.collect import standard_input


def _fed(pieces: list[bytes], stopped: Callable[[], bool] = lambda: False) -> list[bytes]:
    reading, writing = os.pipe()

    def write() -> None:
        for piece in pieces:
            os.write(writing, piece)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    got = list(standard_input(stopped, reading))
    thread.join()
    os.close(reading)
    return got


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8))
def test_the_bytes_come_through_in_whole_lines(pieces: list[bytes]) -> None:
    got = _fed(pieces)
    assert b"".join(got) == b"".join(pieces)
    assert all(piece.endswith(b"\n") for piece in got[:-1])


def test_a_stream_that_waits_can_be_ended() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo")
    began = time.monotonic()
    got = list(standard_input(lambda: time.monotonic() - began > 0.3, reading))
    os.close(writing)
    os.close(reading)
    assert b"".join(got) == b"one\ntwo"


def test_a_regular_file_is_read_from_where_it_stands() -> None:
    descriptor = os.memfd_create("lines")
    os.write(descriptor, b"skipped\nread\n")
    os.lseek(descriptor, 8, os.SEEK_SET)
    assert b"".join(standard_input(lambda: False, descriptor)) == b"read\n"
    os.close(descriptor)
