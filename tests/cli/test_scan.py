"""`bigsec scan` on small logs: what comes out, where, and with which code."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import re
import subprocess
import termios
import time
from pathlib import Path
from typing import IO, Any

import pytest

from .conftest import Runner, command, environment

ACCOUNT_FILE = "5f6d2a1c-6a27-4f0f-9d5d-0d1f7b6a0c11"
INCIDENT_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
WHOAMI = "0c7a7c2e-8f0a-4a37-9a3e-5a3c9f3f7a42"


def _rows(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def logs(bigsec: Runner, cases: Path) -> Path:
    folder = bigsec.folder / "logs"
    folder.mkdir()
    for name in ("access.log", "windows.ndjson"):
        (folder / name).write_bytes((cases / name).read_bytes())
    return folder


def test_a_pipe_gets_one_incident_a_line_with_rules_ids_and_raw_lines(
    bigsec: Runner, logs: Path, cases: Path
) -> None:
    done = bigsec("scan", logs, "--rules", cases / "rules")
    assert done.code == 0
    incidents = _rows(done.out)
    signals = [signal for incident in incidents for signal in incident["signals"]]
    assert {signal["rule_id"] for signal in signals} == {ACCOUNT_FILE, WHOAMI}
    assert all(signal["rule_author"] == "Lin Example" for signal in signals)
    assert all(signal["rule_license"] == "Apache-2.0" for signal in signals)
    raw = {one["event_id"]: one["raw"] for incident in incidents for one in incident["evidence"]}
    assert set(raw.values()) >= {(cases / "access.log").read_text().splitlines()[2]}
    assert {one for signal in signals for one in signal["event_ids"]} == set(raw)


def test_signals_one_a_line(bigsec: Runner, logs: Path, cases: Path) -> None:
    done = bigsec("scan", logs, "--rules", cases / "rules", "--signals")
    found = _rows(done.out)
    assert [one["rule_id"] for one in found] == [ACCOUNT_FILE, WHOAMI]
    assert found[0]["raw"] == [(cases / "access.log").read_text().splitlines()[2]]


def test_the_account_stands_on_stderr(bigsec: Runner, logs: Path, cases: Path) -> None:
    err = bigsec("scan", logs, "--rules", cases / "rules").err
    assert "Inputs: 2 ·" in err
    assert "7 = 7 parsed + 0 unparsed + 0 quarantined; 7 events" in err
    assert "▲ high 1  ○ low 1" in err
    assert "Passwd File Asked For  Lin Example, Apache-2.0" in err
    assert "2 evaluated\n" in err


def test_quiet_says_nothing(bigsec: Runner, logs: Path, cases: Path) -> None:
    done = bigsec("scan", logs, "--rules", cases / "rules", "--quiet")
    assert done.err == ""
    assert _rows(done.out)


@pytest.mark.parametrize("form", ["ndjson", "json", "csv"])
@pytest.mark.parametrize("signals", [[], ["--signals"]], ids=["incidents", "signals"])
def test_every_form_is_pure_on_a_terminal_and_in_a_pipe(
    bigsec: Runner, logs: Path, cases: Path, form: str, signals: list[str]
) -> None:
    arguments = ["scan", logs, "--rules", cases / "rules", "--format", form, *signals]
    piped = bigsec(*arguments).out
    shown = bigsec.on_terminal(*arguments).out
    # A terminal turns line ends into its own, and a CSV row ends with one itself; each store gives
    # its incidents ids of its own.
    assert [INCIDENT_ID.sub("", one.replace("\r", "")) for one in (shown, piped)] == [
        INCIDENT_ID.sub("", piped.replace("\r", ""))
    ] * 2
    if form == "csv":
        assert piped.startswith("\ufeff")
        assert len(list(csv.reader(io.StringIO(piped.removeprefix("\ufeff"), newline="")))) == 3
    elif form == "json":
        assert len(json.loads(piped)) == 2
    else:
        assert len(_rows(piped)) == 2


@pytest.mark.parametrize("columns", [60, 100, 160])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_terminal_gets_a_table_that_fits(
    bigsec: Runner, logs: Path, cases: Path, columns: int, language: str
) -> None:
    from rich.cells import cell_len

    done = bigsec.on_terminal(
        "scan",
        logs,
        "--rules",
        cases / "rules",
        "--color",
        "never",
        columns=columns,
        env={"BIGSEC_LANG": language},
    )
    lines = done.out.splitlines()
    assert max(map(cell_len, lines)) <= columns
    assert "\x1b" not in done.out
    assert {"en": "▲ high", "zh_CN": "▲ 高危"}[language] in done.out


def test_colour_follows_terminal_option_and_environment(
    bigsec: Runner, logs: Path, cases: Path
) -> None:
    arguments = ["scan", logs, "--rules", cases / "rules", "--format", "table"]
    assert "\x1b[" in bigsec.on_terminal(*arguments).out
    assert "\x1b[" not in bigsec.on_terminal(*arguments, env={"NO_COLOR": "1"}).out
    assert "\x1b[" not in bigsec(*arguments).out
    assert "\x1b[" in bigsec(*arguments, env={"FORCE_COLOR": "1"}).out
    assert "\x1b[" in bigsec(*arguments, "--color", "always").out


def test_the_bundled_rules_are_the_default(bigsec: Runner, logs: Path) -> None:
    done = bigsec("scan", logs)
    assert done.code == 0
    assert any("203.0.113.66" in incident["source"]["values"] for incident in _rows(done.out))


def test_standard_input(bigsec: Runner, cases: Path) -> None:
    done = bigsec(
        "scan", "-", "--rules", cases / "rules", stdin=(cases / "access.log").read_bytes()
    )
    (incident,) = _rows(done.out)
    assert incident["evidence"][0]["source"] == "stdin"


@pytest.mark.parametrize("form", ["gzip", "xz", "zstd"])
def test_standard_input_may_be_compressed(bigsec: Runner, cases: Path, form: str) -> None:
    import gzip
    import lzma

    import zstandard

    pack = {"gzip": gzip.compress, "xz": lzma.compress, "zstd": zstandard.compress}[form]
    content = pack((cases / "access.log").read_bytes())
    done = bigsec("scan", "-", "--rules", cases / "rules", "--strict", stdin=content)
    assert done.code == 0, done.err
    assert len(_rows(done.out)) == 1


def test_compressed_logs_give_the_same_ids(bigsec: Runner, cases: Path) -> None:
    import gzip
    import lzma

    import zstandard

    content = (cases / "access.log").read_bytes()
    packed = {
        "a.log": content,
        "a.log.gz": gzip.compress(content),
        "a.log.xz": lzma.compress(content),
        "a.log.zst": zstandard.compress(content),
    }
    ids = set()
    for name, stored in packed.items():
        (bigsec.folder / name).write_bytes(stored)
        done = bigsec("scan", name, "--rules", cases / "rules", "--signals")
        ids.add(_rows(done.out)[0]["event_ids"][0])
    assert len(ids) == 1


def test_patterns_and_the_same_file_twice(bigsec: Runner, logs: Path, cases: Path) -> None:
    done = bigsec(
        "scan", f"{logs}/*.log", logs / "access.log", "--rules", cases / "rules", "--signals"
    )
    assert [one["rule_id"] for one in _rows(done.out)] == [ACCOUNT_FILE]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--min-level", "high"], [ACCOUNT_FILE]),
        (["--status", "stable"], [WHOAMI]),
        (["--status", "stable", "--status", "test"], [ACCOUNT_FILE, WHOAMI]),
        (["--status", "all"], [ACCOUNT_FILE, WHOAMI]),
        (["--since", "2026-11-24T00:05Z"], [WHOAMI]),
        (["--until", "2026-11-24T00:05Z"], [ACCOUNT_FILE]),
        (["--since", "2026-11-24T08:05", "--tz", "Asia/Shanghai"], [WHOAMI]),
        (["--since", "2026-11-24T00:01Z", "--until", "2026-11-24T00:10Z"], [ACCOUNT_FILE]),
    ],
    ids=str,
)
def test_rules_and_events_can_be_narrowed(
    bigsec: Runner, logs: Path, cases: Path, options: list[str], expected: list[str]
) -> None:
    done = bigsec("scan", logs, "--rules", cases / "rules", "--signals", *options)
    assert [one["rule_id"] for one in _rows(done.out)] == expected


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--fail-on", "critical"], 0),
        (["--fail-on", "high"], 1),
        (["--fail-on", "low"], 1),
        (["--fail-on", "low", "--until", "2020-01-01"], 0),
    ],
    ids=str,
)
def test_findings_fail_only_when_asked_to(
    bigsec: Runner, logs: Path, cases: Path, options: list[str], code: int
) -> None:
    assert bigsec("scan", logs, "--rules", cases / "rules", *options).code == code


def test_times_are_shown_in_the_zone_asked_for(bigsec: Runner, logs: Path, cases: Path) -> None:
    arguments = ["scan", logs, "--rules", cases / "rules", "--format", "table"]
    assert "2026-11-24 00:01:00 +00:00" in bigsec(*arguments).out
    assert "2026-11-24 08:01:00 +08:00" in bigsec(*arguments, "--tz", "Asia/Shanghai").out
    told = bigsec(*arguments, env={"BIGSEC_TZ": "Asia/Shanghai"})
    assert "2026-11-24 08:01:00 +08:00" in told.out


def test_the_same_scan_twice_into_one_folder_adds_nothing(
    bigsec: Runner, logs: Path, cases: Path
) -> None:
    arguments = ["scan", logs, "--rules", cases / "rules", "--output", "out"]
    first = bigsec(*arguments)
    (logs / "access.log").rename(logs / "renamed.log")
    second = bigsec(*arguments)
    assert (first.code, second.code) == (0, 0)
    assert "2 new, 0 grown" in first.err
    assert "0 new, 0 grown" in second.err
    numbers = [[one["number"] for one in _rows(done.out)] for done in (first, second)]
    assert numbers[0] == numbers[1]
    assert sorted(path.name for path in (bigsec.folder / "out").iterdir()) != []


def test_results_below_the_input_are_not_scanned(bigsec: Runner, logs: Path, cases: Path) -> None:
    arguments = ["scan", logs, "--rules", cases / "rules", "--output", logs / "out"]
    bigsec(*arguments)
    assert "Inputs: 2 ·" in bigsec(*arguments).err


def test_a_folder_in_use_is_refused(bigsec: Runner, logs: Path, cases: Path) -> None:
    fifo = bigsec.folder / "pipe"
    os.mkfifo(fifo)
    arguments = ["scan", "--rules", cases / "rules", "--output", "out"]
    holder = subprocess.Popen(
        command(*arguments, fifo),
        cwd=bigsec.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with _opened_for_writing(fifo, holder) as feeding:
        done = bigsec(*arguments, logs)
        feeding.write((cases / "access.log").read_bytes())
    out, _ = holder.communicate(timeout=60)
    assert (done.code, done.out) == (69, "")
    assert "BS3102" in done.err
    assert str(holder.pid) in done.err
    assert holder.returncode == 0
    assert len(out.splitlines()) == 1


def _opened_for_writing(fifo: Path, reader: subprocess.Popen[bytes]) -> IO[bytes]:
    """A pipe can be opened once it is read: the reader then has its lock."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and reader.poll() is None:
        try:
            return os.fdopen(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK), "wb")
        except OSError:  # nobody reads yet
            time.sleep(0.02)
    pytest.fail(f"the first scan never read: {reader.communicate()}")


def test_ctrl_c_on_a_stream_keeps_what_was_found(bigsec: Runner, cases: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, (cases / "access.log").read_bytes())

    def is_read() -> bool:
        waiting = fcntl.ioctl(reading, termios.FIONREAD, b"\0\0\0\0")
        return not any(waiting)

    done = bigsec.interrupted(
        "scan", "-", "--rules", cases / "rules", "--output", "out", stdin=reading, when=is_read
    )
    os.close(writing)
    os.close(reading)
    assert done.code == 130
    assert len(_rows(done.out)) == 1
    assert "Interrupted" in done.err
    listed = bigsec("incidents", "list", "--store", "out")
    assert len(_rows(listed.out)) == 1


@pytest.mark.slow
def test_ctrl_c_in_a_large_file_keeps_what_was_found(bigsec: Runner, cases: Path) -> None:
    line = (cases / "access.log").read_bytes()
    plain = line.splitlines(keepends=True)[0]
    with open(bigsec.folder / "large.log", "wb") as file:
        file.write(line)
        for _ in range(60):
            file.write(plain * 60_000)
    out = bigsec.folder / "out"
    done = bigsec.interrupted(
        "scan", "large.log", "--rules", cases / "rules", "--output", "out",
        when=lambda: out.exists() and any(out.iterdir()),
    )  # fmt: skip
    assert done.code == 130
    assert len(_rows(done.out)) == 1
    assert "Traceback" not in done.err


def test_hidden_files_are_counted(bigsec: Runner, logs: Path, cases: Path) -> None:
    (logs / ".bash_history").write_bytes(b"whoami\n")
    assert (
        "names that begin with a dot, left out: 1"
        in bigsec("scan", logs, "--rules", cases / "rules").err
    )


def test_what_a_log_says_cannot_steer_terminal_or_spreadsheet(bigsec: Runner, cases: Path) -> None:
    evil = (
        '203.0.113.66 - =cmd [24/Nov/2026:08:01:00 +0800] "GET /?f=etc/passwd&x=\x1b]0;owned\x07'
        '\u202e HTTP/1.1" 200 1 "-" "\x9b31m"\n'
    )
    (bigsec.folder / "=1+1.log").write_text(evil)
    rules = ["--rules", cases / "rules"]
    for options in ([], ["--format", "table"], ["--signals", "--format", "table"]):
        done = bigsec.on_terminal("scan", "=1+1.log", *rules, *options, "--color", "never")
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.out)
    bigsec("scan", "=1+1.log", *rules, "--output", "out", "--quiet")
    number = _rows(bigsec("incidents", "list", "--store", "out").out)[0]["number"]
    shown = bigsec.on_terminal("incidents", "show", number, "--store", "out", "--color", "never")
    assert r"\x1b]0;owned\x07" in shown.out
    assert r"\u202e" in shown.out
    sheet = bigsec("scan", "=1+1.log", *rules, "--signals", "--format", "csv").out
    cells = [one for row in csv.reader(io.StringIO(sheet.removeprefix("\ufeff"))) for one in row]
    assert "'=1+1.log" in cells
    assert not [one for one in cells if one.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_no_input_and_no_rule_is_an_error(bigsec: Runner, logs: Path, cases: Path) -> None:
    missing = bigsec("scan", "gone.log", "--rules", cases / "rules")
    assert (missing.code, missing.out) == (3, "")
    assert "BS1101" in missing.err
    (bigsec.folder / "none").mkdir()
    ruleless = bigsec("scan", logs, "--rules", "none")
    assert (ruleless.code, ruleless.out) == (3, "")
    assert "BS2112" in ruleless.err
