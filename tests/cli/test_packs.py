"""`bigsec packs`: the formats that can be read."""

from __future__ import annotations

import json

import pytest

from bigsec import Packs
from bigsec._core import explain_record

from .conftest import Runner


def test_packs_are_listed_with_what_they_read(bigsec: Runner) -> None:
    packs = [json.loads(line) for line in bigsec("packs", "list").out.splitlines()]
    assert "windows_event" in {one["id"] for one in packs}
    assert all(one["title"] and one["decoder"] and one["about"] for one in packs)
    table = bigsec.on_terminal("packs", "list", "--color", "never")
    assert all(one["id"] in table.out for one in packs)


def test_one_pack(bigsec: Runner) -> None:
    shown = bigsec.on_terminal("packs", "show", "windows_event", "--color", "never")
    assert shown.code == 0
    assert "windows_event" in shown.out
    unknown = bigsec("packs", "show", "windws")
    assert unknown.code == 3
    assert "BS3106" in unknown.err


DOOR = [
    {"vendor": "acme", "type": "door", "at": "2026-11-24T08:00:00+08:00", "door": "north-1",
     "badge": "li.wei", "result": "it's shut", "client_ip": "192.0.2.7"},
    {"vendor": "acme", "type": "door", "at": "2026-11-24T08:01:00+08:00", "door": "n\t2",
     "badge": "no", "result": "granted", "client_ip": "192.0.2.8"},
]  # fmt: skip
FIREWALL = (
    "Jan  9 11:04:05 fw1 acmefw: action=deny src=192.0.2.7 dst=198.51.100.9 sport=1 dport=22"
    ' proto=tcp user="li wei"'
)


def test_the_samples_that_are_shipped_hold(bigsec: Runner) -> None:
    done = bigsec("packs", "test")
    assert (done.code, done.out) == (0, ""), done.out
    assert "differences: 0" in done.err


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        pytest.param(
            [json.dumps(line, ensure_ascii=False) for line in DOOR],
            {"user.name": "badge", "src_endpoint.ip": "client_ip", "status": "result"},
            id="json",
        ),
        pytest.param(
            [FIREWALL],
            {"src_endpoint.ip": "src", "dst_endpoint.port": "dport", "user.name": "user",
             "device.hostname": "syslog.hostname"},
            id="pairs behind a header",
        ),
    ],
)  # fmt: skip
def test_a_draft_holds_and_reads_its_lines(
    bigsec: Runner, lines: list[str], columns: dict[str, str]
) -> None:
    source = bigsec.folder / "lines.log"
    source.write_text("\n".join([*lines, ""]), encoding="utf-8")
    done = bigsec("packs", "new", "acme", source, "--to", "packs")
    assert done.code == 0, done.err
    tried = bigsec("packs", "test", "packs")
    assert (tried.code, tried.out) == (0, ""), tried.out
    packs = Packs.load(bigsec.folder / "packs")
    told = explain_record(lines[0].encode(), packs)
    assert told["parser"] == "acme"
    assert told["time_us"] is not None
    found = {field["column"]: field["name"] for field in told["fields"] if field["column"]}
    assert columns.items() <= found.items()
    # What is there is not written over.
    again = bigsec("packs", "new", "acme", source, "--to", "packs")
    assert again.code == 2
    assert "acme.yaml" in again.err


def test_a_sample_that_does_not_hold_is_told_with_its_line(bigsec: Runner) -> None:
    source = bigsec.folder / "lines.log"
    source.write_text(json.dumps(DOOR[0]), encoding="utf-8")
    assert bigsec("packs", "new", "acme", source).code == 0
    pack = bigsec.folder / "acme.yaml"
    pack.write_text(pack.read_text().replace("user.name: li.wei", "user.name: wang"))
    done = bigsec("packs", "test", ".")
    assert done.code == 3
    (fault,) = [json.loads(line) for line in done.out.splitlines()]
    assert fault["code"] == "BS2203"
    assert "li.wei" in fault["message"]
    assert fault["line"] > 20


@pytest.mark.parametrize(
    ("name", "text", "code", "says"),
    [
        ("Acme", "{}", 2, "BS4001"),
        ("acme", "hello there\nand again\n", 2, "patterns"),
        ("acme", None, 3, "BS1101"),
    ],
)
def test_what_gives_no_draft_is_told(
    bigsec: Runner, name: str, text: str | None, code: int, says: str
) -> None:
    source = bigsec.folder / "lines.log"
    if text is not None:
        source.write_text(text)
    done = bigsec("packs", "new", name, source)
    assert (done.code, says in done.err) == (code, True), done
    assert not list(bigsec.folder.glob("*.yaml"))
