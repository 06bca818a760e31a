"""The demo's folder is its own: it takes nobody else's, and goes without a trace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bigsec.demo import place
from bigsec.store import OutputFolder


def test_a_named_folder_comes_first() -> None:
    assert place.default_folder({"BIGSEC_DEMO_DIR": "here"}) == Path("here")


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="other systems have other places")
def test_the_place_is_that_of_the_users_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/li.jing")
    assert place.default_folder({"XDG_DATA_HOME": "/data"}) == Path("/data/bigsec/demo")
    usual = Path("/home/li.jing/.local/share/bigsec/demo")
    assert place.default_folder({}) == place.default_folder({"XDG_DATA_HOME": "rel"}) == usual


def test_a_demo_is_marked_and_purged_whole(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    logs = place.prepare(folder)
    (logs / "demo-a.log").write_text("a")
    with OutputFolder(folder) as output:
        output.commit()
    assert (folder / place.MARK).is_file()
    assert place.purge(folder)
    assert not list(tmp_path.iterdir())
    assert not place.purge(folder)


def test_an_older_demo_makes_room(tmp_path: Path) -> None:
    (place.prepare(tmp_path) / "demo-old.log").write_text("a")
    (tmp_path / "bigsec.db").write_text("old")
    logs = place.prepare(tmp_path)
    assert not list(logs.iterdir())
    assert not (tmp_path / "bigsec.db").exists()


@pytest.mark.parametrize("take", [place.prepare, place.purge])
def test_what_is_not_the_demos_is_left_alone(tmp_path: Path, take: object) -> None:
    (tmp_path / "bigsec.db").write_text("real")
    assert callable(take)
    with pytest.raises(place.NotDemoError):
        take(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["bigsec.db"]


def test_what_a_link_leads_to_is_left_alone(tmp_path: Path) -> None:
    real, folder = tmp_path / "real", tmp_path / "demo"
    real.mkdir()
    (real / "kept").write_text("kept")
    place.prepare(folder)
    (folder / "link").symlink_to(real)
    assert place.purge(folder)
    assert (real / "kept").read_text() == "kept"
