"""Bad input: a clear message with file, line and mend; the rest is still processed."""

from __future__ import annotations

import gzip
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Done, Runner, command, environment

GOOD = (
    b'203.0.113.66 - - [24/Nov/2026:08:01:00 +0800] "GET /?f=etc/passwd HTTP/1.1" 200 1 "-" "c"\n'
)


def _found(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    ("name", "content", "code", "line"),
    [
        ("truncated.json", b'{"a": 1, "b": {"c": "d\n', "BS1002", 1),
        ("malformed.json", b'{"a": 1}\n{"a" 1}\n', "BS1003", 2),
        ("deep.json", b'{"a":' * 70 + b"1" + b"}" * 70 + b"\n", "BS1004", 1),
        ("plain.txt", b"nothing that any decoder knows\n", "BS1001", 1),
        ("empty.log", b"", "BS1106", 0),
    ],
)
def test_a_bad_record_is_named_and_the_rest_is_read(
    bigsec: Runner, cases: Path, name: str, content: bytes, code: str, line: int
) -> None:
    (bigsec.folder / name).write_bytes(content)
    (bigsec.folder / "good.log").write_bytes(GOOD)
    done = bigsec("scan", name, "good.log", "--rules", cases / "rules")
    assert done.code == 0
    assert f"warning[{code}]" in done.err
    assert (f"┌ {name}:{line}:" if line else f"┌ {name}\n") in done.err
    assert len(_found(done)) == 1
    strict = bigsec("scan", name, "good.log", "--rules", cases / "rules", "--strict")
    assert strict.code == (4 if line else 0)


@pytest.mark.parametrize(
    "content",
    [
        b'{"user": "\xff\xfe\x80", "q": "etc/passwd"}\n',
        '{"user": "张三", "q": "etc/passwd"}\n'.encode("gb18030"),
        b'{"user": "a\\u0000b", "q": "etc/passwd"}\n',
        b"a\x00b etc/passwd\n",
        b'{"k": 1, "k": "two", "k": null}\n',
        b"\x00" * 4096 + b"\n",
    ],
    ids=["invalid-utf8", "gb18030", "escaped-nul", "nul", "duplicate-keys", "only-nul"],
)
def test_odd_bytes_become_events(bigsec: Runner, content: bytes) -> None:
    (bigsec.folder / "odd.log").write_bytes(content + GOOD)
    done = bigsec("parse", "odd.log")
    assert done.code == 0
    assert len(_found(done)) == 2
    assert "Traceback" not in done.err


def test_gb18030_text_comes_out_as_what_it_says(bigsec: Runner) -> None:
    (bigsec.folder / "gbk.json").write_bytes('{"user": "张三"}\n'.encode("gb18030"))
    assert "张三" in bigsec("parse", "gbk.json").out


def test_duplicate_keys_are_all_kept(bigsec: Runner) -> None:
    (bigsec.folder / "twice.json").write_bytes(b'{"k": 1, "k": "two", "k": null}\n')
    (event,) = _found(bigsec("parse", "twice.json"))
    kept = [(one["name"], one.get("value")) for one in event["unmapped"]]
    assert [value for name, value in kept if name == "k"][:2] == ["1", "two"]


def test_a_gzip_cut_in_half_gives_its_first_half(bigsec: Runner, cases: Path) -> None:
    rows = b"".join(GOOD.replace(b"f=", b"n=%d&f=" % number) for number in range(20_000))
    packed = gzip.compress(rows)
    (bigsec.folder / "cut.log.gz").write_bytes(packed[: len(packed) // 2])
    (bigsec.folder / "good.log").write_bytes(GOOD)
    done = bigsec("scan", "cut.log.gz", "good.log", "--rules", cases / "rules", "--signals")
    assert done.code == 3
    assert "error[BS1104]" in done.err
    assert "┌ cut.log.gz" in done.err
    assert 5_000 < len(_found(done)) < 20_001
    assert _found(done)[-1]["source"] == "good.log"


def test_a_file_that_only_says_it_is_compressed(bigsec: Runner) -> None:
    (bigsec.folder / "not.gz").write_bytes(b"plain text, no gzip\n")
    done = bigsec("parse", "not.gz")
    assert len(_found(done)) == 1


@pytest.mark.slow
def test_a_line_of_50_mb_costs_a_few_times_its_size(bigsec: Runner, cases: Path) -> None:
    with open(bigsec.folder / "long.log", "wb") as file:
        file.write(b'{"a": "' + b"x" * 50_000_000 + b'"}\n' + GOOD)
    done, peak = _measured(bigsec, "scan", "long.log", "--rules", str(cases / "rules"))
    small, base = _measured(
        bigsec, "scan", str(cases / "access.log"), "--rules", str(cases / "rules")
    )
    assert (done.code, small.code) == (0, 0)
    assert len(_found(done)) == 1
    assert peak - base < 8 * 50_000_000


@pytest.mark.slow
def test_a_stream_without_line_ends_needs_bounded_memory(bigsec: Runner) -> None:
    stream = "head -c 300000000 /dev/zero | tr '\\0' x"
    script = " | ".join((stream, " ".join(command("parse", "-", "--quiet")), "wc -l"))
    done, peak = _measured_shell(bigsec, script)
    assert done.code == 0
    assert peak < 1_200_000_000


MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], cwd=None)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stderr)
sys.exit(done.returncode)
"""


def _measured(bigsec: Runner, *arguments: str) -> tuple[Done, int]:
    return _run_measured(bigsec, command(*arguments))


def _measured_shell(bigsec: Runner, script: str) -> tuple[Done, int]:
    return _run_measured(bigsec, ["bash", "-c", script])


def _run_measured(bigsec: Runner, words: list[str]) -> tuple[Done, int]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *words],
        capture_output=True,
        text=True,
        cwd=bigsec.folder,
        env=environment(),
        check=False,
    )
    *err, peak = done.stderr.splitlines()
    return Done(done.returncode, done.stdout, "\n".join(err)), int(peak)


def test_what_may_not_be_read_is_named_and_the_rest_is_read(bigsec: Runner, cases: Path) -> None:
    closed = bigsec.folder / "closed"
    closed.mkdir()
    (closed / "in.log").write_bytes(GOOD)
    (bigsec.folder / "secret.log").write_bytes(GOOD)
    (bigsec.folder / "open.log").write_bytes(GOOD)
    for path in (closed, bigsec.folder / "secret.log"):
        path.chmod(0)
    code = (
        "import os, sys\n"
        "import bigsec.cli.app as app\n"
        # What is imported late must be there before the rights to read it are given up.
        "app.run(['parse', 'open.log', 'gone', '--output', '.warm', '--quiet'])\n"
        "if os.getuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "sys.exit(app.run(sys.argv[1:]))\n"
    )
    for folder in [bigsec.folder, *bigsec.folder.parents]:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", code, "parse", ".", "--quiet"],
        capture_output=True,
        text=True,
        cwd=bigsec.folder,
        env=environment(),
        check=False,
    )
    closed.chmod(0o700)
    assert done.returncode == 3
    assert done.stderr.count("error[BS1102]") == 2, done.stderr
    assert "./closed" in done.stderr
    assert "./secret.log" in done.stderr
    assert len(done.stdout.splitlines()) == 1


def test_bad_rules_are_named_with_places_and_the_good_one_works(
    bigsec: Runner, cases: Path
) -> None:
    (bigsec.folder / "good.log").write_bytes(GOOD)
    done = bigsec("scan", "good.log", "--rules", cases / "bad_rules")
    assert done.code == 0
    for code, place in (
        ("BS2104", "unknown_modifier.yml:8:"),
        ("BS2107", "no_such_selection.yml:9:"),
        ("BS2101", "not_yaml.yml:"),
        ("BS2102", "bomb.yml"),
    ):
        assert f"error[{code}]" in done.err
        assert place in done.err
    assert "help: " in done.err
    assert "contains" in done.err
    assert len(_found(done)) == 1
    assert bigsec("scan", "good.log", "--rules", cases / "bad_rules", "--strict").code == 3


def test_a_yaml_bomb_costs_nothing(bigsec: Runner, cases: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = bigsec("rules", "check", cases / "bad_rules" / "bomb.yml")
    assert done.code == 3
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 3


def test_a_link_loop_is_a_warning(bigsec: Runner, cases: Path) -> None:
    folder = bigsec.folder / "logs"
    folder.mkdir()
    (folder / "good.log").write_bytes(GOOD)
    (folder / "loop").symlink_to(folder)
    done = bigsec("scan", folder, "--rules", cases / "rules")
    assert done.code == 0
    assert "warning[BS1107]" in done.err
    assert len(_found(done)) == 1


def test_many_faults_are_capped(bigsec: Runner) -> None:
    for number in range(80):
        (bigsec.folder / f"{number:02}.yml").write_text("detection: [")
    done = bigsec("rules", "check", ".", "--format", "table")
    assert done.out.count("error[BS2101]") == 50
    assert "… and 30 more" in done.out
    assert len(bigsec("rules", "check", ".").out.splitlines()) >= 80
