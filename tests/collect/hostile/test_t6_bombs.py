"""T6: bombs of 1 MiB that want to become 10 GiB, at the running daemon and at `scan`.

Each is refused or bounded in less than 2 s of CPU and 128 MiB of memory, the sender gets a clear
answer, and an honest sender beside it is served.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from support.bombs import RECORDS, gzip_bomb, long_line, repeated, xz_bomb, zstd_bomb
from support.cli import bigsec
from support.daemon import Daemon
from support.numbered import payload
from support.ports import wait_until
from support.relp import RelpSender
from support.sources import Sources

CPU_S_MAX = 2.0
GROWTH_MAX = 128 << 20
_KIB = 1 << 10
LINE = b'{"message":"the same again"}\n'
_MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
sys.exit(code)
"""


class Target:
    """A daemon that is shot at, with an honest sender beside."""

    def __init__(self, folder: Path, more: str = "") -> None:
        sources = Sources()
        self.honest = RelpSender(sources.listen("honest", "relp"), partial(payload, "honest"))
        self.relp = sources.listen("relp", "relp")
        self.tcp = sources.listen("tcp", "syslog_tcp")
        self.http = sources.listen("http", "http")
        self.history = folder / "history"
        self.history.mkdir()
        sources.file("history", self.history / "*", "poll_ms = 50")
        self.daemon = Daemon(folder / "relay", sources.text, more=more)
        self.daemon.start()

    def warm_up(self) -> None:
        """One large record of each way in, so that what is measured is a bomb's own."""
        self.post(b'{"a":"' + b"y" * (1 << 20) + b'"}')
        self.serve_honest()
        self.settle()

    def post(self, body: bytes, encoding: str = "identity") -> tuple[int, str]:
        """Status and text of the answer."""
        connection = http.client.HTTPConnection(*self.http, timeout=20)
        with contextlib.closing(connection):
            connection.request("POST", "/", body, {"Content-Encoding": encoding})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def talk(self, address: tuple[str, int], sent: bytes) -> bytes:
        """What a raw sender is told until the connection ends."""
        told = b""
        with socket.create_connection(address, timeout=10) as connection:
            with contextlib.suppress(OSError):
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while piece := connection.recv(4096):
                    told += piece
        return told

    def serve_honest(self) -> None:
        """A hundred records of the honest sender are acknowledged."""
        until = self.honest.next + 100
        end = time.monotonic() + 10
        while self.honest.step(until):
            assert time.monotonic() < end, "the honest sender is not served"

    def settle(self) -> None:
        """Wait until all that was received has been looked at."""
        wait_until(lambda: self.daemon.status()["consumer"]["lag"] == 0, 30, "no lag")

    def meter(self, source: str, name: str) -> int:
        """A counter of a source."""
        return int(self.daemon.status()["sources"][source]["meters"][name])

    def measure(self, name: str, shoot: Callable[[], object]) -> None:
        """Shoot, look at CPU and the highest memory, and at those beside."""
        pid = self.daemon.pid()
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        before, cpu = _memory(pid, "VmHWM"), self.daemon.cpu_s()
        answer = shoot()
        self.settle()
        cpu, growth = self.daemon.cpu_s() - cpu, _memory(pid, "VmHWM") - before
        self.serve_honest()
        print(f"{name}: {cpu:.2f} s of CPU, {growth >> 20} MiB, answer {str(answer)[:200]}")
        assert cpu < CPU_S_MAX, f"{name} cost {cpu:.2f} s of CPU"
        assert growth < GROWTH_MAX, f"{name} cost {growth >> 20} MiB"
        assert self.daemon.running(), self.daemon.tail()


def _memory(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * _KIB
    raise AssertionError(f"no {field}")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """One daemon for all bombs: what one leaves behind, the next one would meet."""
    made = Target(tmp_path_factory.mktemp("bombs"))
    try:
        made.warm_up()
        yield made
    finally:
        made.honest.close()
        made.daemon.drop()


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", lambda: gzip_bomb(1_000)),
        ("gzip", lambda: gzip_bomb(400, LINE)),
        ("gzip", lambda: repeated(gzip_bomb(10), 100)),
        ("zstd", lambda: repeated(zstd_bomb(1_024), 10)),
        ("zstd", lambda: zstd_bomb(1_024, LINE)),
    ],
)
def test_t6_a_compressed_body_is_refused(
    target: Target, encoding: str, bomb: Callable[[], bytes]
) -> None:
    """T6: HTTP bodies that grow more than a hundred times: 413, with the reason."""
    body = bomb()
    assert len(body) < 1.1 * (1 << 20)

    def shoot() -> tuple[int, str]:
        answer = target.post(body, encoding)
        assert answer[0] == 413
        assert "grows too much" in answer[1]
        return answer

    target.measure(f"HTTP {encoding} of {len(body)} bytes", shoot)


def test_t6_a_body_that_breaks_off_is_not_acknowledged(target: Target) -> None:
    """T6: a zstd or gzip body cut anywhere is no whole one, whatever came out of it."""
    for encoding, whole in (("gzip", gzip_bomb(1, os.urandom(900))), ("zstd", zstd_bomb(1, LINE))):
        for cut in (1, 5, len(whole) // 2):
            status, text = target.post(whole[:-cut], encoding)
            assert status == 400, f"{encoding} cut by {cut}: {status} {text}"


@pytest.mark.parametrize(
    ("mib", "limits", "pieces"),
    [(60, "", 60), (10, "[limits]\nreceived_record_bytes_max = 67_108_864", 1)],
)
def test_t6_a_body_of_one_long_line_costs_what_a_record_may(
    tmp_path: Path, mib: int, limits: str, pieces: int
) -> None:
    """T6: a body under the ratio that is one line: taken, at a few times the longest record,
    which is 1 MiB where nobody says otherwise."""
    body = long_line(mib)
    target = Target(tmp_path, limits)

    def shoot() -> tuple[int, str]:
        answer = target.post(body, "gzip")
        assert answer[0] == 200
        assert f'"records":{pieces}' in answer[1]
        return answer

    try:
        target.warm_up()
        target.measure(f"one line of {mib} MiB from {len(body) >> 10} KiB", shoot)
    finally:
        target.honest.close()
        target.daemon.drop()


@pytest.mark.parametrize("name", RECORDS)
def test_t6_a_record_costs_what_its_bytes_cost(target: Target, name: str) -> None:
    """T6: depth, fields, pairs, elements: kept as one record, looked at under limits."""
    record = RECORDS[name]()

    def shoot() -> tuple[int, str]:
        answer = target.post(record)
        assert answer[0] == 200
        return answer

    target.measure(f"{name} ({len(record) >> 10} KiB)", shoot)


@pytest.mark.parametrize(
    "count", [b"0", b"-1", b"9" * 20, b"2147483647", b"2147483649", b"9223372036854775808"]
)
def test_t6_an_octet_count_takes_no_memory(target: Target, count: bytes) -> None:
    """T6: a count of 2^63 is no order to make room: what came is kept, and the stream goes on."""
    records = target.meter("tcp", "records")
    target.measure(f"octet count {count!r}", lambda: target.talk(target.tcp, count + b" <34>boo"))
    assert target.meter("tcp", "records") > records, "the bytes behind the count were dropped"


@pytest.mark.parametrize("length", [b"9" * 9, b"9" * 20, b"-1", b"9223372036854775808"])
def test_t6_a_relp_length_takes_no_memory(target: Target, length: bytes) -> None:
    """T6: a RELP data length beyond the protocol is answered with an error or kept as cut."""
    offer = b"relp_version=0\ncommands=syslog"
    sent = b"1 open %d %s\n2 syslog %s <34>boo" % (len(offer), offer, length)

    def shoot() -> bytes:
        told = target.talk(target.relp, sent)
        assert b"2 rsp 6 200 OK" not in told
        assert (len(length) <= 9 and length.isdigit()) or b"500" in told, told
        return told

    target.measure(f"RELP length {length!r}", shoot)


@pytest.mark.parametrize(
    ("suffix", "bomb"),
    [
        (".gz", lambda: repeated(gzip_bomb(1_000), 1)),
        (".zst", lambda: repeated(zstd_bomb(1_024), 10)),
        (".xz", lambda: repeated(xz_bomb(128), 50)),
    ],
)
def test_t6_compressed_history_is_bounded(
    target: Target, suffix: str, bomb: Callable[[], bytes]
) -> None:
    """T6: a rotated file that is a bomb is left after its ratio and counted, the next one read."""
    errors = target.meter("history", "errors")
    path = target.history / f"bomb{suffix}"

    def shoot() -> str:
        path.write_bytes(bomb())
        wait_until(lambda: target.meter("history", "errors") > errors, 30, "the file is refused")
        return "errors + 1"

    target.measure(f"tailed {suffix}", shoot)
    path.unlink()
    after = target.meter("history", "records")
    (target.history / f"after{suffix}.log").write_bytes(f"<34>honest {suffix}\n".encode())
    wait_until(lambda: target.meter("history", "records") > after, 10, "the next file is read")


@pytest.mark.parametrize(
    ("suffix", "bomb"),
    [
        (".gz", lambda: gzip_bomb(1_000)),
        (".gz", lambda: gzip_bomb(63, b'{"a":"x"},')),
        (".zst", lambda: repeated(zstd_bomb(1_024), 10)),
        (".zst", lambda: zstd_bomb(1_024, LINE)),
        (".xz", lambda: repeated(xz_bomb(128), 50)),
    ],
)
def test_t6_scan_leaves_a_bomb(tmp_path: Path, suffix: str, bomb: Callable[[], bytes]) -> None:
    """T6: `scan` of a bomb: BS1108 with its name, and the file beside it is read."""
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(bomb())
    assert path.stat().st_size < 1.1 * (1 << 20)
    small = _small(tmp_path)
    idle = _scan(tmp_path, small)
    done = _scan(tmp_path, path, small)
    cpu, growth = done.cpu_s - idle.cpu_s, done.peak_bytes - idle.peak_bytes
    print(f"scan {suffix}: {cpu:.2f} s, {growth >> 20} MiB")
    assert done.code == 3
    assert re.search(rf"error\[BS1108\]: .*\n.*{re.escape(str(path))}\n", done.text), done.text
    assert str(small) not in done.text, "the file beside it is no problem"
    assert re.search(r"Inputs: 2 ", done.text), done.text
    assert (found := re.search(r"records +[\d,]+ = ([\d,]+) parsed", done.text)), done.text
    assert int(found[1].replace(",", "")) >= 10, "the file beside it is read"
    assert cpu < CPU_S_MAX
    assert growth < GROWTH_MAX


def test_t6_a_log_of_equal_lines_is_no_bomb(tmp_path: Path) -> None:
    """T6: a gzip of equal lines stays below 500:1. It is read, in the memory of a small file."""
    path = tmp_path / "equal.gz"
    path.write_bytes(gzip_bomb(40, LINE))
    assert 100 < (40 << 20) / path.stat().st_size < 500
    idle, done = _scan(tmp_path, _small(tmp_path)), _scan(tmp_path, path)
    print(f"scan of equal lines: {done.cpu_s:.2f} s, {done.peak_bytes >> 20} MiB")
    assert done.code == 0, done.text
    assert "BS1108" not in done.text
    assert done.peak_bytes - idle.peak_bytes < GROWTH_MAX


def _small(folder: Path) -> Path:
    path = folder / "small.log"
    path.write_bytes(LINE * 10)
    return path


@dataclass(frozen=True)
class _Scan:
    code: int
    cpu_s: float
    peak_bytes: int
    text: str


def _scan(folder: Path, *paths: Path) -> _Scan:
    """A scan under a small process that measures it: a child's highest memory begins with that of
    the one who started it, and this one has made bombs."""
    used = folder / "used"
    scan = [sys.executable, "-m", "bigsec", "scan", "--json", *map(str, paths)]
    command = [sys.executable, "-S", "-c", _MEASURED, str(used), *scan]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    cpu, peak = used.read_text().split()
    text = (done.stdout + done.stderr).decode(errors="replace")
    return _Scan(done.returncode, float(cpu), int(peak) * _KIB, text)


def _cpu(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("depth", "a = " + "[" * 100_000),
        ("tables", "[" + ".".join(["a"] * 100_000) + "]\nx = 1\n"),
        ("inline", "a = " + "{a=" * 50_000),
        ("keys", ".".join(["a"] * 200_000) + " = 1\n"),
    ],
)
def test_t6_a_deep_configuration_is_refused(tmp_path: Path, name: str, text: str) -> None:
    """T6: TOML that nests without end is an error with the file's name, no crash."""
    path = tmp_path / "bigsec.toml"
    path.write_text(text)
    begin = time.monotonic()
    done = bigsec("config", "check", "-c", str(path), timeout_s=30)
    told = (done.stdout + done.stderr).decode()
    print(f"TOML {name}: {time.monotonic() - begin:.2f} s, exit {done.returncode}: {told[:200]}")
    assert 0 < done.returncode < 128
    assert "Traceback" not in told
    assert str(path) in told


YAML = {
    "aliases": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
    ),
    "depth": "a: " + "[" * 100_000,
    "block depth": "".join(" " * n + "a:\n" for n in range(1_400)),
    "anchors": "".join(f"a{n}: &a{n} 1\n" for n in range(60_000)),
}


@pytest.mark.parametrize("name", YAML)
def test_t6_yaml_of_rules_and_packs_is_bounded(tmp_path: Path, name: str) -> None:
    """T6: a rule or pack that expands or nests without end is named, and no crash."""
    (tmp_path / "packs").mkdir()
    config = tmp_path / "bigsec.toml"
    config.write_text(
        f'name = "relay-1.example"\ndata_dir = "{tmp_path / "data"}"\n'
        f'[packs]\npath = "{tmp_path / "packs"}"\n[sources.in]\ntype = "stdin"\n'
    )
    rule, pack = tmp_path / "rule-bomb.yml", tmp_path / "packs" / "pack_bomb.yaml"
    for path, command in (
        (rule, ("rules", "check", str(rule))),
        (pack, ("run", "-c", str(config))),
    ):
        path.write_text(YAML[name])
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = bigsec(*command, timeout_s=30)
        cpu = _cpu(resource.getrusage(resource.RUSAGE_CHILDREN)) - _cpu(before)
        told = (done.stdout + done.stderr).decode()
        print(f"YAML {name} in {path.stem}: {cpu:.2f} s, exit {done.returncode}: {told[:300]}")
        assert 0 < done.returncode < 128
        assert "Traceback" not in told
        assert path.name in told
        assert cpu < CPU_S_MAX
