"""`bigsec demo`: the whole path on data that it makes itself."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import time
from http import HTTPStatus
from pathlib import Path

import pytest

from .conftest import Runner, command, environment

HIGH = 5


def test_the_demo_finds_its_stories(bigsec: Runner) -> None:
    done = bigsec("demo", "--no-serve")
    assert done.code == 0
    incidents = [json.loads(line) for line in done.out.splitlines()]
    assert sum(one["level"] == "high" for one in incidents) == HIGH
    assert {one["level"] for one in incidents} <= {"high", "low"}
    sources = {found["source"] for one in incidents for found in one["evidence"]}
    assert all(source.startswith("demo-") for source in sources)
    assert "invented" in done.err


def test_the_demo_can_be_looked_at_afterwards(bigsec: Runner) -> None:
    done = bigsec.on_terminal("demo", "--no-serve", "--output", "shown", "--color", "never")
    assert done.code == 0
    number = json.loads(bigsec("incidents", "list", "--store", "shown").out.splitlines()[0])[
        "number"
    ]
    assert number in done.out
    assert bigsec("incidents", "show", number, "--store", "shown").code == 0


def test_a_demo_takes_the_place_of_the_one_before(bigsec: Runner) -> None:
    counts = [len(bigsec("demo", "--json", "--output", "d").out.splitlines()) for _ in range(2)]
    assert counts[0] == counts[1]


def test_zones_of_the_reader_do_not_move_the_events(bigsec: Runner) -> None:
    done = bigsec("demo", "--json", env={"BIGSEC_TZ": "Asia/Shanghai"})
    assert sum(json.loads(line)["level"] == "high" for line in done.out.splitlines()) == HIGH


def test_purge_removes_everything(bigsec: Runner) -> None:
    assert bigsec("demo", "--json").code == 0
    assert list(bigsec.folder.iterdir())
    done = bigsec("demo", "--purge")
    assert (done.code, done.out) == (0, "")
    assert not list(bigsec.folder.iterdir())
    assert bigsec("demo", "--purge").code == 0


@pytest.mark.parametrize("options", [("--purge",), ("--json",)], ids=" ".join)
def test_a_folder_with_real_data_is_left_alone(bigsec: Runner, options: tuple[str, ...]) -> None:
    real = bigsec.folder / "real"
    real.mkdir()
    (real / "bigsec.db").write_bytes(b"real")
    done = bigsec("demo", *options, "--output", "real")
    assert (done.code, done.out) == (2, "")
    assert "did not make" in done.err
    assert [(one.name, one.read_bytes()) for one in real.iterdir()] == [("bigsec.db", b"real")]


def test_the_pages_are_served_until_ctrl_c(bigsec: Runner) -> None:
    pytest.importorskip("bigsec_api.server", reason="bigsec-api is not installed")
    out, err = bigsec.folder / "out", bigsec.folder / "err"
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(
            command("demo"),
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
            cwd=bigsec.folder,
            env=environment(),
        )
    try:
        port = _port_told(process, err)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/api/v1/incidents")
        assert connection.getresponse().status == HTTPStatus.OK
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
    assert all(isinstance(json.loads(line), dict) for line in out.read_text().splitlines())


def _port_told(process: subprocess.Popen[bytes], err: Path) -> int:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if told := re.search(r"http://127\.0\.0\.1:(\d+)/", err.read_text()):
            return int(told[1])
        time.sleep(0.05)
    raise AssertionError(f"no address was told: {err.read_text()}")
