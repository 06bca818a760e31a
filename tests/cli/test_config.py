"""`bigsec config`: a file that works, every value with its layer, faults with their places."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from .conftest import Runner


def test_the_file_that_is_written_is_valid_and_is_not_written_twice(bigsec: Runner) -> None:
    assert bigsec("config", "init", "-o", "bigsec.toml").code == 0
    assert bigsec("config", "init", "-o", "bigsec.toml").code == 2
    done = bigsec("config", "check", "-c", "bigsec.toml")
    assert done.code == 0, done.err
    assert "sources 1" in done.err
    schema = json.loads((bigsec.folder / "bigsec.schema.json").read_text())
    assert schema == json.loads(bigsec("config", "schema").out)
    assert bigsec("config", "init").out == (bigsec.folder / "bigsec.toml").read_text()


def test_show_names_the_layer_of_each_value_and_hides_secrets(bigsec: Runner) -> None:
    token = bigsec.folder / "token"
    token.write_text("hunter2")
    token.chmod(0o600)
    (bigsec.folder / "b.toml").write_text(
        f'name = "x"\n[sources.up]\ntype = "http"\ntoken_file = "{token}"\n'
    )
    done = bigsec(
        "config",
        "show",
        "-c",
        "b.toml",
        "--set",
        "watch.lag_s=9",
        env={"BIGSEC__LOG__GROUP_MS": "7"},
    )
    rows = {row["key"]: row for row in map(json.loads, done.out.splitlines())}
    assert rows["name"] == {"key": "name", "value": "x", "layer": "b.toml", "line": 1}
    assert (rows["log.group_ms"]["value"], rows["log.group_ms"]["layer"]) == (
        7,
        "BIGSEC__LOG__GROUP_MS",
    )
    assert rows["watch.lag_s"]["layer"] == "--set watch.lag_s"
    assert rows["log.compress"]["layer"] == "default"
    assert rows["sources.up.token_file"]["value"] == f"{token} (••••)"
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("given", ["x", "=1", "a..b=1"])
def test_a_set_that_is_none_is_a_usage_fault(bigsec: Runner, given: str) -> None:
    assert bigsec("config", "show", "--set", given).code == 2


def test_check_tells_every_fault_and_exits_78(bigsec: Runner) -> None:
    cases = Path(__file__).parents[1] / "collect" / "cases" / "config"
    done = bigsec("config", "check", "-c", cases / "many_faults.toml")
    assert done.code == 78
    assert done.out == ""
    assert done.err.count("error[BS42") == 14
    assert "hunter2" not in done.err


def test_a_rule_or_pack_that_cannot_be_loaded_is_a_fault_of_the_configuration(
    bigsec: Runner,
) -> None:
    assert bigsec("config", "check", "-c", "/dev/null", "--set", "packs.path=/nowhere").code == 78


def test_connect_tries_the_world_and_names_what_fails(bigsec: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (bigsec.folder / "b.toml").write_text(
            f'data_dir = "data"\n[admin]\nlisten = "127.0.0.1:0"\n'
            f'[sources.a]\ntype = "relp"\nlisten = "127.0.0.1:{port}"\n'
            f'[sources.b]\ntype = "syslog_udp"\nlisten = "127.0.0.1:0"\n'
            f'[sinks.c]\ntype = "http"\nurl = "http://127.0.0.1:{port}/"\n'
            '[sinks.d]\ntype = "file"\npath = "/nowhere/at/all.ndjson"\n'
        )
        done = bigsec("config", "check", "-c", "b.toml", "--connect", "--color", "never")
    assert done.code == 69
    lines = {line[2:].split("]")[0] + "]": line[0] for line in done.err.splitlines()[1:]}
    assert lines == {
        "[data_dir]": "✓",
        "[admin]": "✓",
        "[sources.a]": "✗",
        "[sources.b]": "✓",
        "[sinks.c]": "✓",
        "[sinks.d]": "✗",
    }
    assert not (bigsec.folder / "data").exists()


def test_connect_says_one_line_where_all_is_well(bigsec: Runner) -> None:
    flags = ("--set", "data_dir=.", "--set", "admin.listen=127.0.0.1:0")
    done = bigsec("config", "check", "-c", "/dev/null", "--connect", *flags)
    assert done.code == 0, done.err
    assert len(done.err.splitlines()) == 2
