"""The command as a whole: help, light start, usage errors, exit codes."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bigsec.cli.exits import Exit, exit_of
from bigsec.errors import BigsecError, FormatError, StoreLockedError

from .conftest import Runner, command, environment

HEAVY = (
    "pyarrow",
    "duckdb",
    "sqlalchemy",
    "alembic",
    "numpy",
    "orjson",
    "pydantic",
    "rich.progress",
)
COMMANDS = (
    (),
    ("scan",),
    ("parse",),
    ("incidents",),
    ("incidents", "list"),
    ("incidents", "show"),
    ("rules",),
    ("rules", "check"),
    ("rules", "list"),
    ("packs",),
    ("packs", "list"),
    ("packs", "show"),
    ("demo",),
    ("completion",),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_command_has_a_help_page(
    bigsec: Runner, words: tuple[str, ...], language: str
) -> None:
    done = bigsec(*words, "--help", env={"BIGSEC_LANG": language})
    assert (done.code, done.err) == (0, "")
    head = {"en": "Usage: bigsec", "zh_CN": "用法： bigsec"}[language]
    assert done.out.startswith(head)
    assert max(map(len, done.out.splitlines())) <= 100


def test_help_loads_nothing_large() -> None:
    code = (
        "import sys\n"
        "from bigsec.cli.app import run\n"
        "assert run(['--help']) == 0\n"
        "print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    assert not {one for one in HEAVY if one in done.stderr.split()}


@pytest.mark.slow
def test_help_takes_little_more_than_the_libraries_it_is_written_with() -> None:
    """A quarter of a second on a usual machine; held against the libraries, on any."""
    libraries = [sys.executable, "-c", "import typer.main, rich.console, rich.table, dataclasses"]
    ours = bare = 9.0
    for _ in range(10):
        ours = min(ours, _cost_of(command("--help")))
        bare = min(bare, _cost_of(libraries))
    assert ours <= 2.5 * bare


def _cost_of(arguments: list[str]) -> float:
    before = _children_s()
    subprocess.run(arguments, capture_output=True, check=True, env=environment())
    return _children_s() - before


def _children_s() -> float:
    """CPU time of finished children: what a busy machine does beside does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_the_version_is_data(bigsec: Runner) -> None:
    import bigsec as package

    done = bigsec("--version")
    assert (done.code, done.out, done.err) == (0, f"bigsec {package.__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sacn"], "did you mean `scan`?"),
        (["rules", "chek"], "did you mean `check`?"),
        (["scan"], "PATH is missing"),
        (["scan", "x", "--ruls", "y"], "did you mean `--rules`?"),
        (["scan", "x", "--min-level", "hihg"], "did you mean `high`?"),
        (["scan", "x", "--fail-on", "hihg"], "did you mean `high`?"),
        (["scan", "x", "--status", "stabel"], "did you mean `stable`?"),
        (["scan", "x", "--format", "xml"], "--format"),
        (["scan", "x", "--tz", "Mars"], "BS4003"),
        (["scan", "x", "--since", "tomorrow"], "not a time: `tomorrow`"),
        (["scan", "x", "--input-format", "windows_evnt"], "windows_evnt"),
        (["parse", "x", "--to", "xml"], "--to"),
        (["incidents", "list", "--limit", "0"], "--limit"),
        (["completion", "csh"], "SHELL cannot be `csh`"),
        (["rules"], "Usage: bigsec rules"),
        ([], "Usage: bigsec"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_what_was_meant(
    bigsec: Runner, arguments: list[str], told: str
) -> None:
    (bigsec.folder / "x").write_bytes(b"line\n")
    done = bigsec(*arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert "Traceback" not in done.err


def test_usage_faults_are_said_in_chinese_too(bigsec: Runner) -> None:
    done = bigsec("sacn", env={"BIGSEC_LANG": "zh_CN"})
    assert done.err.splitlines() == [
        "错误[BS4001]：用法有误：没有此命令：sacn",
        "建议：是否想输入 `scan`？",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(bigsec: Runner, shell: str) -> None:
    done = bigsec("completion", shell)
    assert (done.code, done.err) == (0, "")
    assert "_BIGSEC_COMPLETE" in done.out


def test_the_shell_gets_completions(bigsec: Runner) -> None:
    env = {"_BIGSEC_COMPLETE": "complete_bash", "COMP_WORDS": "bigsec inc", "COMP_CWORD": "1"}
    done = bigsec(env=env)
    assert done.out.split() == ["incidents"]


def test_a_reader_that_goes_away_is_no_error(bigsec: Runner, cases: Path) -> None:
    (bigsec.folder / "many.log").write_bytes((cases / "access.log").read_bytes() * 20_000)
    script = '"$@" | head -n 1; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *command("parse", "many.log", "--quiet")],
        capture_output=True,
        text=True,
        cwd=bigsec.folder,
        env=environment(),
        check=True,
    )
    row, code = done.stdout.splitlines()
    assert json.loads(row)
    assert (code, done.stderr) == ("0", "")


def test_a_reader_that_goes_away_does_not_stop_what_is_being_kept(
    bigsec: Runner, cases: Path
) -> None:
    (bigsec.folder / "many.log").write_bytes((cases / "access.log").read_bytes() * 2_000)
    words = command(
        "scan", "many.log", "--signals", "--rules", cases / "rules", "--output", "out", "--quiet"
    )
    script = '"$@" | head -n 1 > first; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words],
        capture_output=True,
        text=True,
        cwd=bigsec.folder,
        env=environment(),
        check=True,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
    (incident,) = bigsec("incidents", "list", "--store", "out").out.splitlines()
    assert json.loads(incident)["signal_count"] == 2_000


DATA_COMMANDS = (
    ("scan", "access.log"),
    ("scan", "access.log", "--signals"),
    ("scan", "gone.log"),
    ("parse", "access.log"),
    ("parse", "access.log", "--explain"),
    ("incidents", "list", "--store", "out"),
    ("incidents", "show", "2026-000001", "--store", "out"),
    ("incidents", "show", "2001-1", "--store", "out"),
    ("rules", "list"),
    ("rules", "check"),
    ("rules", "check", "bad_rules"),
    ("packs", "list"),
    ("packs", "show", "json"),
    ("demo", "--no-serve"),
)


@pytest.mark.parametrize("words", DATA_COMMANDS, ids=" ".join)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_stdout_is_pure(bigsec: Runner, cases: Path, words: tuple[str, ...], language: str) -> None:
    (bigsec.folder / "access.log").write_bytes((cases / "access.log").read_bytes())
    (bigsec.folder / "bad_rules").symlink_to(cases / "bad_rules")
    if "out" in words:
        bigsec("scan", "access.log", "--output", "out")
    piped = bigsec(*words, env={"BIGSEC_LANG": language})
    shown = bigsec.on_terminal(*words, "--json", env={"BIGSEC_LANG": language})
    assert shown.code == piped.code
    for done in (piped, shown):
        for line in done.out.splitlines():
            assert isinstance(json.loads(line), dict)
        assert "\x1b" not in done.out


def test_a_full_disk_behind_stdout_is_an_error(bigsec: Runner, cases: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("parse", cases / "access.log", "--quiet"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            check=False,
        )
    assert done.returncode == 69
    assert "BS3103" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_exit_codes_are_the_contract() -> None:
    assert {one.name: one.value for one in Exit} == {
        "DONE": 0,
        "FINDINGS": 1,
        "USAGE": 2,
        "BAD_INPUT": 3,
        "PARTIAL": 4,
        "TAMPERED": 5,
        "UNAVAILABLE": 69,
        "DEFECT": 70,
        "CONFIGURATION": 78,
        "INTERRUPTED": 130,
    }


def test_every_exception_has_an_exit_code() -> None:
    def families(kind: Any) -> list[Any]:
        return [kind, *(below for one in kind.__subclasses__() for below in families(one))]

    for kind in families(BigsecError):
        assert exit_of(kind("BS0000", "n", "m")) != Exit.DONE
    assert exit_of(FormatError("BS4003", "n", "m")) == Exit.USAGE
    assert exit_of(StoreLockedError("BS3102", "n", "m")) == Exit.UNAVAILABLE


def test_a_defect_is_no_finding(bigsec: Runner) -> None:
    code = (
        "import sys\n"
        "from bigsec.cli import packs, app\n"
        "import bigsec\n"
        "def broken(): raise ZeroDivisionError('\\x1b[31mboom')\n"
        "bigsec.default_packs = broken\n"
        "sys.exit(app.run(sys.argv[1:]))\n"
    )
    for flags, trace in (([], False), (["--traceback"], True)):
        done = subprocess.run(
            [sys.executable, "-c", code, *flags, "packs", "list"],
            capture_output=True,
            text=True,
            env=environment(),
            check=False,
        )
        assert done.returncode == 70
        assert ("Traceback" in done.stderr) is trace
        if not trace:
            assert r"ZeroDivisionError: \x1b[31mboom" in done.stderr
