"""Standard input as a stream of bytes, ended from outside."""

from __future__ import annotations

import os
import threading
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from bigsec.collect import StandardInput


def _all(stream: StandardInput, size: int = 7) -> bytes:
    got = b""
    while piece := stream.read(size):
        assert len(piece) <= size
        got += piece
    return got


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8))
def test_the_bytes_come_through(pieces: list[bytes]) -> None:
    reading, writing = os.pipe()

    def write() -> None:
        for piece in pieces:
            os.write(writing, piece)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    got = _all(StandardInput(lambda: False, reading))
    thread.join()
    os.close(reading)
    assert got == b"".join(pieces)


def test_a_stream_that_waits_can_be_ended() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo")
    began = time.monotonic()
    got = _all(StandardInput(lambda: time.monotonic() - began > 0.3, reading))
    os.close(writing)
    os.close(reading)
    assert got == b"one\ntwo"


def test_a_regular_file_is_read_from_where_it_stands() -> None:
    descriptor = os.memfd_create("lines")
    os.write(descriptor, b"skipped\nread\n")
    os.lseek(descriptor, 8, os.SEEK_SET)
    assert _all(StandardInput(lambda: False, descriptor)) == b"read\n"
    os.close(descriptor)
