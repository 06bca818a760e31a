"""The configuration: every fault at its place and all at once, layers, secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bigsec.collect.loading import Origin, flag_layer, load
from bigsec.errors import ConfigError, Problem

CASES = Path(__file__).parent / "cases" / "config"


def _faults(path: Path, **environ: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load([str(path)], environ=environ)
    return caught.value.problems


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.expected")))
def test_every_fault_is_told_at_its_place_and_all_at_once(name: str) -> None:
    found = _faults(CASES / f"{name}.toml")
    told = [f"{one.line}:{one.column} {one.code} {one.message} | {one.mend}" for one in found]
    expected = (CASES / f"{name}.expected").read_text(encoding="utf-8").splitlines()
    assert len(told) == len(expected), told
    for line, beginning in zip(told, expected, strict=True):
        assert line.startswith(beginning)


def test_a_secret_is_in_no_message_and_no_excerpt() -> None:
    shown = repr(_faults(CASES / "many_faults.toml"))
    assert "hunter2" not in shown
    assert "u:p@" not in shown


def test_later_layers_win_key_by_key_and_each_value_knows_its_layer(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "bigsec.toml").write_text(
        'name = "one"\n[log]\ngroup_ms = 1\nsegment_age_s = 60\n[sources.a]\ntype = "relp"\n'
    )
    (tmp_path / "conf.d" / "10-log.toml").write_text("[log]\ngroup_ms = 2\n")
    (tmp_path / "conf.d" / "20-log.toml").write_text("[log]\n\ngroup_ms = 3\n")
    environ = {
        "BIGSEC__LOG__CHECKPOINT_S": "7",
        "BIGSEC__SOURCES__A__LISTEN": "127.0.0.1:2000",
        "BIGSEC__NAME": "7",
        "BIGSEC_LANG": "en",
    }
    flags = [flag_layer("--set", "log.checkpoint_s", "9")]
    loaded = load(environ=environ, flags=flags, folder=str(tmp_path))
    log = loaded.settings.log
    assert (log.group_ms, log.segment_age_s, log.checkpoint_s) == (3, 60, 9)
    assert loaded.settings.name == "7"  # text, although it reads as a number
    assert getattr(loaded.settings.sources["a"], "listen", None) == "127.0.0.1:2000"
    twenty = str(tmp_path / "conf.d" / "20-log.toml")
    assert loaded.origins[("log", "group_ms")] == Origin(twenty, 3)
    assert loaded.origins[("log", "checkpoint_s")] == Origin("--set", 0)
    assert ("log", "segment_bytes") not in loaded.origins


def test_a_file_that_is_named_replaces_the_folder(tmp_path: Path) -> None:
    (tmp_path / "bigsec.toml").write_text('name = "folder"\n')
    other = tmp_path / "other.toml"
    other.write_text("")
    assert load([str(other)], environ={}, folder=str(tmp_path)).settings.name == "bigsec"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"name = 'x", "BS4203"),
        (b"\xff\xfe", "BS4203"),
        (b"a = " + b"[" * 100_000, "BS4203"),
        (b"#" * (1024 * 1024 + 1), "BS4202"),
    ],
)
def test_p16_a_file_that_is_no_configuration_is_refused(
    tmp_path: Path, content: bytes, code: str
) -> None:
    path = tmp_path / "bigsec.toml"
    path.write_bytes(content)
    (fault,) = _faults(path)
    assert (fault.code, fault.file) == (code, str(path))


def test_a_missing_file_is_a_fault() -> None:
    (fault,) = _faults(Path("/nowhere/bigsec.toml"))
    assert fault.code == "BS4202"


def test_a_variable_is_named_in_its_fault(tmp_path: Path) -> None:
    path = tmp_path / "bigsec.toml"
    path.write_text("")
    (fault,) = _faults(path, BIGSEC__LOG__GROUP_MX="1")
    assert fault.file == "BIGSEC__LOG__GROUP_MX"
    assert fault.mend == "did you mean `group_ms`?"


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t")
    token.chmod(0o644)
    path = tmp_path / "bigsec.toml"
    path.write_text(f'[sources.a]\ntype = "http"\ntoken_file = "{token}"\n')
    (fault,) = _faults(path)
    assert (fault.code, fault.line) == ("BS4207", 3)
    token.chmod(0o640)  # systemd hands credentials to a group
    assert load([str(path)], environ={}).settings.sources["a"].type == "http"
