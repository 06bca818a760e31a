"""`bigsec packs`: the formats that can be read."""

from __future__ import annotations

import json

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
