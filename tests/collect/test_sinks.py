"""Sinks: what they hand over arrives once or again, never less; a dead one holds up nothing."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bigsec.collect.own_log import OwnLog
from bigsec.collect.settings import FileSink, HttpSink, Settings
from bigsec.collect.sinks import Sinks
from bigsec.collect.sinks.file import FileWriter
from bigsec.collect.sinks.http import HttpPoster, RefusedError, parts_of
from bigsec.collect.sinks.position import Position, read_position, write_position

LOG = "cd" * 16


@dataclass
class Lines:
    """Events as NDJSON."""

    text: bytes

    def to_ndjson(self) -> bytes:
        return self.text


@dataclass
class Chunk:
    """A chunk as the core has it."""

    every: Lines | None
    first: int
    next: int
    lost: list[tuple[int, int, str]] = field(default_factory=list)


class Log:
    """A log of numbered events, ten a chunk. kept: first one that was not deleted."""

    def __init__(self, count: int, kept: int = 0) -> None:
        self.count = count
        self.kept = kept

    def open(self, sequence: int) -> Reader:
        return Reader(self, max(sequence, 0))


@dataclass
class Reader:
    """Reads it from a sequence on."""

    log: Log
    at: int

    def next_chunk(self, timeout_s: float) -> Chunk | None:
        first, after = self.at, min(self.at + 10, self.log.count)
        if first >= after:
            time.sleep(min(timeout_s, 0.01))
            return None
        self.at = after
        gone = min(max(self.log.kept, first), after)
        lines = b"".join(b'{"n":%d}\n' % number for number in range(gone, after))
        lost = [(first, gone, "no segment holds them")] if gone > first else []
        return Chunk(Lines(lines) if lines else None, first, after, lost)


def numbers(text: bytes) -> list[int]:
    return [json.loads(line)["n"] for line in text.splitlines()]


def wait_for(held: Callable[[], bool], within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while not held():
        assert time.monotonic() < until, "it did not come to be in time"
        time.sleep(0.01)


@dataclass
class Receiver:
    """A server that answers as told, and remembers what it took."""

    answers: Callable[[int], int] = lambda count: 200
    taken: list[bytes] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    asked: int = 0
    url: str = ""


@contextmanager
def receiver(answers: Callable[[int], int] = lambda count: 200) -> Iterator[Receiver]:
    state = Receiver(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.asked += 1
            answer = state.answers(state.asked)
            if 200 <= answer < 300:
                state.taken.append(body)
                state.keys.append(self.headers["Idempotency-Key"])
            self.send_response(answer)
            if answer == 302:
                self.send_header("Location", state.url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/in?x=1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def sinks(tmp_path: Path, log: Log) -> Sinks:
    return Sinks(tmp_path / "positions", LOG, log.open, OwnLog(io.StringIO()))


def settings(**given: dict[str, Any]) -> Settings:
    return Settings.model_validate({"sinks": given})


def test_a_file_has_every_event_once_in_order_through_rotation(tmp_path: Path) -> None:
    log, path = Log(20_000), tmp_path / "events.ndjson"
    running = sinks(tmp_path, log)
    sink = {"type": "file", "path": str(path), "rotate_bytes": 65_536, "keep_files": 5}
    running.start(settings(one=sink))
    wait_for(lambda: running.lags(log.count) == {"one": 0})
    running.stop(5)
    parts = sorted(tmp_path.glob("events.ndjson.*"), key=lambda one: -int(one.suffix[1:]))
    assert len(parts) >= 2
    text = b"".join(one.read_bytes() for one in [*parts, path])
    assert numbers(text) == list(range(20_000))
    assert all(one.stat().st_size <= 65_536 for one in parts)


def test_only_so_many_rotated_files_stay(tmp_path: Path) -> None:
    sink = FileSink(type="file", path=str(tmp_path / "e"), rotate_bytes=65_536, keep_files=2)
    writer = FileWriter(sink, None)
    for number in range(5):
        writer.deliver(Lines(b"%d" % number * 65_536 + b"\n"), number, number + 1)
    writer.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["e", "e.1", "e.2"]


def test_p9_what_a_killed_process_wrote_behind_its_position_is_written_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events.ndjson"
    sink = FileSink(type="file", path=str(path))
    writer = FileWriter(sink, None)
    writer.deliver(Lines(b'{"n":0}\n'), 0, 1)
    position = writer.mark(Position(LOG, 1))
    writer.deliver(Lines(b'{"n":1}\n{"n":'), 1, 2)  # it died here
    writer.close()
    writer = FileWriter(sink, position)
    writer.deliver(Lines(b'{"n":1}\n'), 1, 2)
    writer.close()
    assert numbers(path.read_bytes()) == [0, 1]


def test_p9_what_a_killed_process_wrote_into_a_new_file_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    sink = FileSink(type="file", path=str(path), rotate_bytes=65_536)
    full, last = b'{"n":"%s"}\n' % (b"0" * 65_000), b'{"n":1,"more":"%s"}\n' % (b"0" * 1_000)
    writer = FileWriter(sink, None)
    writer.deliver(Lines(full), 0, 1)
    position = writer.mark(Position(LOG, 1))
    writer.deliver(Lines(last), 1, 2)  # into a new file; it died here
    writer.close()
    writer = FileWriter(sink, position)
    writer.deliver(Lines(last), 1, 2)
    writer.close()
    assert path.read_bytes() == last
    assert path.with_name("events.ndjson.1").read_bytes() == full


def test_p9_a_process_that_dies_in_its_first_delivery_leaves_no_double(tmp_path: Path) -> None:
    """The position stands before the first line does."""
    log, path = Log(10), tmp_path / "events.ndjson"
    running = sinks(tmp_path, log)
    kept: list[Position | None] = []
    state = tmp_path / "positions" / "one.json"
    real = FileWriter.deliver

    def deliver(writer: FileWriter, events: Any, first: int, after: int) -> None:
        kept.append(read_position(state, LOG))
        real(writer, events, first, after)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileWriter, "deliver", deliver)
        running.start(settings(one={"type": "file", "path": str(path)}))
        wait_for(lambda: running.lags(log.count) == {"one": 0})
        running.stop(5)
    (first,) = kept
    assert first is not None
    FileWriter(FileSink(type="file", path=str(path)), first).close()
    assert path.read_bytes() == b""


def test_a_foreign_file_is_never_cut(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"somebody's")
    sink = FileSink(type="file", path=str(path))
    FileWriter(sink, Position(LOG, 5, 3, 1)).close()
    assert path.read_bytes() == b"somebody's"
    writer = FileWriter(sink, None)
    writer.deliver(Lines(b"x\n"), 0, 1)
    writer.close()
    assert path.read_bytes() == b"somebody's\nx\n"


def test_p7_a_sink_that_fails_sends_again_until_it_arrives(tmp_path: Path) -> None:
    """Each request fails at first with 500, 429, 302 or 400."""
    log = Log(40)
    with receiver(lambda count: [500, 429, 302, 400][count % 4] if count % 3 else 204) as taking:
        running = sinks(tmp_path, log)
        running.start(settings(up={"type": "http", "url": taking.url, "retry_s_max": 1}))
        wait_for(lambda: running.lags(log.count) == {"up": 0})
        assert running.faults() == {"up": None}
        running.stop(5)
        assert numbers(b"".join(taking.taken)) == list(range(40))
        assert taking.keys[0] == f"{LOG}:0-10:0"
        assert len(set(taking.keys)) == len(taking.keys)


def test_p6_a_position_that_cannot_be_kept_sends_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P6: the disk of the sinks' positions is full for a while."""
    log, full = Log(30), threading.Event()
    full.set()

    def keep(path: Path, position: Position) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        write_position(path, position)

    monkeypatch.setattr("bigsec.collect.sinks.running.write_position", keep)
    with receiver(lambda count: 204) as taking:
        running = sinks(tmp_path, log)
        running.start(settings(up={"type": "http", "url": taking.url}))
        wait_for(lambda: bool(running.faults()["up"]))
        time.sleep(1.2)
        full.clear()
        wait_for(lambda: running.lags(log.count) == {"up": 0})
        running.stop(5)
        assert numbers(b"".join(taking.taken)) == list(range(30))


def test_p7_a_dead_sink_holds_up_no_other_and_is_told(tmp_path: Path) -> None:
    log, path = Log(1_000), tmp_path / "events.ndjson"
    running = sinks(tmp_path, log)
    dead = {"type": "http", "url": "http://127.0.0.1:9/", "timeout_s": 1}
    running.start(settings(dead=dead, well={"type": "file", "path": str(path)}))
    wait_for(lambda: running.lags(log.count)["well"] == 0 and bool(running.faults()["dead"]))
    assert running.lags(log.count) == {"well": 0, "dead": 1_000}
    began = time.monotonic()
    running.stop(5)
    assert time.monotonic() - began < 5


def test_p7_an_answer_of_one_byte_a_second_ends_at_the_limit() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip() -> None:
            link, _ = server.accept()
            with link:
                while not over.wait(0.2):
                    try:
                        link.sendall(b"H")
                    except OSError:
                        return

        threading.Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        poster = HttpPoster(HttpSink(type="http", url=url, timeout_s=1), LOG)
        began = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT011  # of which kind does not matter
            poster.deliver(Lines(b"{}\n"), 0, 1)
        assert time.monotonic() - began < 4
        over.set()


def test_p9_a_stop_with_a_dead_target_keeps_the_position(tmp_path: Path) -> None:
    log = Log(100)
    with receiver(lambda count: 200 if count <= 3 else 503) as taking:
        running = sinks(tmp_path, log)
        given = settings(up={"type": "http", "url": taking.url})
        running.start(given)
        wait_for(lambda: taking.asked > 3)
        running.stop(5)
        taking.answers = lambda count: 200
        again = sinks(tmp_path, log)
        again.start(given)
        wait_for(lambda: again.lags(log.count) == {"up": 0})
        again.stop(5)
        assert numbers(b"".join(taking.taken)) == list(range(100))


def test_a_redirect_is_not_followed_and_a_token_is_shown(tmp_path: Path) -> None:
    with receiver(lambda count: 302) as taking:
        poster = HttpPoster(HttpSink(type="http", url=taking.url), LOG)
        with pytest.raises(RefusedError, match="302"):
            poster.deliver(Lines(b"{}\n"), 0, 1)
        assert taking.asked == 1


@pytest.mark.parametrize(("position", "missed"), [(15, 17), (None, 0)])
def test_what_was_deleted_before_a_sink_had_it_is_told(
    tmp_path: Path, position: int | None, missed: int
) -> None:
    """A sink that was away for longer than records are kept; a new one misses nothing."""
    if position is not None:
        folder = tmp_path / "positions"
        folder.mkdir()
        write_position(folder / "up.json", Position(LOG, position))
    path = tmp_path / "out.ndjson"
    running = sinks(tmp_path, Log(50, kept=32))
    running.start(settings(up={"type": "file", "path": str(path)}))
    wait_for(lambda: running.lags(50) == {"up": 0})
    assert running.missed() == {"up": missed}
    running.stop(5)
    assert numbers(path.read_bytes()) == list(range(32, 50))


@pytest.mark.parametrize("size", [1, 8, 9, 20, 1_000])
def test_parts_are_whole_lines_and_all_of_them(size: int) -> None:
    lines = b"".join(b'{"n":%d}\n' % number for number in range(30))
    parts = list(parts_of(lines, size))
    assert b"".join(parts) == lines
    assert all(one.endswith(b"\n") and (len(one) <= size or one.count(b"\n") == 1) for one in parts)


@pytest.mark.parametrize(
    "written", [b"", b"{}", b"[]", b'{"log":"x"}', b"\xff", b'{"log":1,"sequence":"a"}']
)
def test_p16_a_damaged_position_is_moved_aside_and_the_sink_begins_anew(
    tmp_path: Path, written: bytes
) -> None:
    path = tmp_path / "up.json"
    path.write_bytes(written)
    assert read_position(path, LOG) is None
    assert path.with_name("up.json.damaged").read_bytes() == written
    write_position(path, Position(LOG, 7))
    assert read_position(path, LOG) == Position(LOG, 7)
    assert read_position(path, "00" * 16) is None


def test_a_log_that_was_set_back_sets_its_sinks_back(tmp_path: Path) -> None:
    folder = tmp_path / "positions"
    folder.mkdir()
    for name, sequence in (("far", 50), ("near", 5)):
        write_position(folder / f"{name}.json", Position(LOG, sequence, 7, 8))
    sinks(tmp_path, Log(10)).not_beyond(10, settings())
    assert read_position(folder / "far.json", LOG) == Position(LOG, 10, 7, 8)
    assert read_position(folder / "near.json", LOG) == Position(LOG, 5, 7, 8)
