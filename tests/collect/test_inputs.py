"""What paths name: files once, folders whole, and every fault with its place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bigsec.collect import FoundInputs, find_inputs


def _names(found: FoundInputs, root: Path) -> list[str]:
    return [os.path.relpath(one.path, root) for one in found.inputs]


def _codes(found: FoundInputs) -> list[str]:
    return [problem.code for problem in found.problems]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.log", "a.log", "sub/c.log", "sub/deep/d.log.gz", ".hidden", "sub/.git/config"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def test_a_folder_gives_all_files_below_it_in_order(tree: Path) -> None:
    found = find_inputs([str(tree)])
    assert _names(found, tree) == ["a.log", "b.log", "sub/c.log", "sub/deep/d.log.gz"]
    assert found.hidden == 2
    assert found.size == sum(len(name) for name in _names(found, tree))
    assert not found.problems


def test_a_hidden_file_is_read_when_it_is_named(tree: Path) -> None:
    assert _names(find_inputs([str(tree / ".hidden")]), tree) == [".hidden"]


def test_a_file_is_read_once_whatever_names_it_has(tree: Path) -> None:
    (tree / "link.log").symlink_to(tree / "a.log")
    os.link(tree / "b.log", tree / "hard.log")
    found = find_inputs([str(tree / "a.log"), str(tree), str(tree / "a.log")])
    assert _names(found, tree) == ["a.log", "b.log", "sub/c.log", "sub/deep/d.log.gz"]


def test_a_link_to_a_folder_above_is_named_and_not_followed(tree: Path) -> None:
    (tree / "sub" / "up").symlink_to(tree)
    found = find_inputs([str(tree)])
    assert len(found.inputs) == 4
    assert _codes(found) == ["BS1107"]
    assert found.problems[0].file.endswith("sub/up")


def test_two_folders_that_link_to_each_other_are_read_once(tmp_path: Path) -> None:
    for one, other in (("x", "y"), ("y", "x")):
        (tmp_path / one).mkdir()
        (tmp_path / one / f"{one}.log").write_bytes(b"1")
        (tmp_path / one / "other").symlink_to(tmp_path / other)
    found = find_inputs([str(tmp_path)])
    assert sorted(Path(name).name for name in _names(found, tmp_path)) == ["x.log", "y.log"]


def test_a_link_that_is_itself_is_a_fault_and_the_rest_goes_on(tree: Path) -> None:
    (tree / "self").symlink_to(tree / "self")
    found = find_inputs([str(tree)])
    assert len(found.inputs) == 4
    assert _codes(found) == ["BS1103"]


def test_patterns(tree: Path) -> None:
    assert _names(find_inputs([str(tree / "*.log")]), tree) == ["a.log", "b.log"]
    assert _names(find_inputs([str(tree / "**" / "*.log")]), tree) == [
        "a.log",
        "b.log",
        "sub/c.log",
    ]
    assert _names(find_inputs([str(tree / "s*b")]), tree) == ["sub/c.log", "sub/deep/d.log.gz"]
    assert _names(find_inputs([str(tree / ".h*")]), tree) == [".hidden"]


def test_a_file_whose_name_holds_a_wildcard_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].log").write_bytes(b"x")
    assert _names(find_inputs([str(tmp_path / "a[1].log")]), tmp_path) == ["a[1].log"]


def test_double_star_walks_no_link(tree: Path) -> None:
    (tree / "sub" / "up").symlink_to(tree)
    (tree / "sub" / "again").symlink_to(tree / "sub")
    assert len(find_inputs([str(tree / "**" / "*.log")]).inputs) == 3


def test_each_fault_is_named_and_the_rest_is_read(tree: Path) -> None:
    (tree / "dangling").symlink_to(tree / "gone")
    (tree / "empty").mkdir()
    given = ["gone.log", "dangling", "*.evtx", "empty", "a.log/x", "a.log"]
    found = find_inputs([str(tree / name) for name in given])
    assert _names(found, tree) == ["a.log"]
    assert _codes(found) == ["BS1101"] * 5
    assert all(problem.file and problem.message and problem.mend for problem in found.problems)


def test_the_folder_of_results_is_no_input(tree: Path) -> None:
    assert _names(find_inputs([str(tree)], leave_out=str(tree / "sub")), tree) == ["a.log", "b.log"]
    assert len(find_inputs([str(tree)], leave_out=str(tree / "gone")).inputs) == 4


def test_a_pipe_is_read_only_when_it_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.log").write_bytes(b"x")
    assert _names(find_inputs([str(tmp_path)]), tmp_path) == ["a.log"]
    named = find_inputs([str(tmp_path / "pipe")])
    assert _names(named, tmp_path) == ["pipe"]
    assert named.size == 0


def test_a_device_is_no_input() -> None:
    assert _codes(find_inputs(["/dev/null"])) == ["BS1103"]


def test_names_that_are_not_utf8_and_paths_with_nul(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xb2\xe2.log", "wb") as file:
        file.write(b"x")
    found = find_inputs([str(tmp_path), "a\x00b"])
    assert [os.fsencode(one.path)[-6:] for one in found.inputs] == [b"\xb2\xe2.log"]
    assert _codes(found) == ["BS1103"]


def test_a_deep_chain_of_folders_needs_no_recursion(tmp_path: Path) -> None:
    path = str(tmp_path)
    while len(path) < 3500:
        path = os.path.join(path, "d")
        os.mkdir(path)
    with open(os.path.join(path, "x.log"), "wb") as file:
        file.write(b"x")
    found = find_inputs([str(tmp_path)])
    # Python's own removal of trees recurses and would fail when pytest tidies up.
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)
    assert len(found.inputs) == 1


UNPRIVILEGED = """
import os, sys
from bigsec.collect import find_inputs
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
found = find_inputs(sys.argv[1:])
print([os.path.basename(one.path) for one in found.inputs], [one.code for one in found.problems])
"""


def test_what_may_not_be_read_is_named(tmp_path: Path) -> None:
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "in.log").write_bytes(b"x")
    (tmp_path / "secret.log").write_bytes(b"x")
    (tmp_path / "open.log").write_bytes(b"x")
    (tmp_path / "secret.log").chmod(0)
    closed.chmod(0)
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(tmp_path), str(closed / "in.log")],
        capture_output=True,
        text=True,
        check=True,
    )
    closed.chmod(0o700)
    assert done.stdout.strip() == "['open.log'] ['BS1102', 'BS1102', 'BS1102']"
