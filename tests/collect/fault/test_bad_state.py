"""P16: whatever stands in its folders, the daemon starts, or says which file it refuses."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.daemon import Daemon
from support.numbered import payload
from support.relp import RelpSender
from support.scale import dice, scale
from support.sources import Sources

MUTATIONS = scale(60, 5_000)
BROKEN_STORE = 69
RECORDS = 400
# Files that the daemon owns alone and makes anew at each start.
_PASSING = frozenset(["lock", "reserve"])


def _flip(path: Path, rolls: random.Random) -> None:
    raw = bytearray(path.read_bytes())
    if raw:
        raw[rolls.randrange(len(raw))] ^= 1 << rolls.randrange(8)
    path.write_bytes(raw)


def _truncate(path: Path, rolls: random.Random) -> None:
    os.truncate(path, rolls.randrange(path.stat().st_size + 1))


def _zero(path: Path, rolls: random.Random) -> None:
    raw = bytearray(path.read_bytes())
    at = rolls.randrange(len(raw) + 1) & ~4095
    raw[at : at + 4096] = bytes(len(raw[at : at + 4096]))
    path.write_bytes(raw)


def _garble(path: Path, rolls: random.Random) -> None:
    path.write_bytes(rolls.randbytes(rolls.randrange(1, 9_000)))


def _empty(path: Path, _: random.Random) -> None:
    path.write_bytes(b"")


def _delete(path: Path, _: random.Random) -> None:
    path.unlink()


def _make_folder(path: Path, _: random.Random) -> None:
    path.unlink()
    path.mkdir()


def _dangle(path: Path, _: random.Random) -> None:
    path.unlink()
    path.symlink_to("/nonexistent/target")


def _append(path: Path, rolls: random.Random) -> None:
    with path.open("ab") as file:
        file.write(rolls.randbytes(rolls.randrange(1, 9_000)))


Mutation = Callable[[Path, random.Random], None]
WAYS: tuple[Mutation, ...] = (
    _flip,
    _truncate,
    _zero,
    _garble,
    _empty,
    _delete,
    _make_folder,
    _dangle,
    _append,
)


@pytest.mark.timeout(scale(240, 4 * 3600))
def test_p16_bad_state_is_healed_or_named(tmp_path: Path) -> None:
    """P16: it becomes ready, or ends with an exit code other than 0 and 1 and a message that names
    the file; no segment that was there is gone, save for those moved to `damaged/` or sealed."""
    rolls = dice()
    sources = Sources()
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"))
    daemon = Daemon(tmp_path / "relay", sources.text, log="segment_bytes = 65536")
    keep = tmp_path / "keep"
    started = refused = 0
    try:
        daemon.start()
        while sender.step(RECORDS):
            pass
        assert daemon.stop() == 0
        shutil.copytree(daemon.data, keep)
        for number in range(MUTATIONS):
            shutil.rmtree(daemon.data)
            shutil.copytree(keep, daemon.data)
            files = sorted(one for one in daemon.data.rglob("*") if one.is_file())
            target = rolls.choice([one for one in files if one.name not in _PASSING])
            way = rolls.choice(WAYS)
            told = f"{number}: {way.__name__} {target.relative_to(daemon.data)}"
            way(target, rolls)
            before = _segments(daemon.data)
            daemon.output.write_bytes(b"")
            daemon.launch()
            if _becomes_ready(daemon, told):
                started += 1
                # What lies deep in a file may be met only while it runs; its end says so.
                code = daemon.stop()
                named = code == BROKEN_STORE and target.name in daemon.output.read_text()
                assert code == 0 or named, f"{told}: {code}: {daemon.tail()}"
            else:
                refused += 1
                _assert_named(daemon, target, told)
                daemon.process = None
            lost = before - _segments(daemon.data)
            assert not lost, f"{told}: deleted {lost}"
    finally:
        daemon.drop()
    print(f"{MUTATIONS} mutated folders: {started} started, {refused} refused by name")


def _segments(data: Path) -> set[str]:
    return {one.stem for one in data.rglob("*.seg*")}


def _becomes_ready(daemon: Daemon, told: str) -> bool:
    try:
        daemon.wait_ready(30)
    except AssertionError:
        assert not daemon.running(), f"{told}: neither ready nor ended: {daemon.tail()}"
        return False
    return True


def _assert_named(daemon: Daemon, target: Path, told: str) -> None:
    text = daemon.tail(5_000)
    assert daemon.ended() not in (None, 0, 1), f"{told}: ended with {daemon.ended()}: {text}"
    assert "Traceback" not in text, f"{told}: {text}"
    names = (target.name, target.stem, str(target.parent))
    assert any(name in text for name in names), f"{told}: no file named: {text}"


def test_p16_a_second_daemon_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """P16: it says that another one has the folder, and the first goes on."""
    sources = Sources()
    sender = RelpSender(sources.listen("relp", "relp"), partial(payload, "relp"))
    first = Daemon(tmp_path / "a", sources.text)
    second = Daemon(tmp_path / "b", Sources().text, data=first.data)
    try:
        first.start()
        second.launch()
        assert second.process is not None
        try:
            assert second.process.wait(timeout=30) != 0
        except subprocess.TimeoutExpired:
            pytest.fail("a second daemon runs on the same folder")
        assert str(first.data) in second.tail()
        second.process = None
        while sender.step(10):
            pass
        assert first.stop() == 0
    finally:
        first.drop()
        second.drop()
