"""`bigsec demo`: the whole path on bundled data."""

from __future__ import annotations

import json

from .conftest import Runner


def test_the_demo_finds_incidents(bigsec: Runner) -> None:
    done = bigsec("demo")
    assert done.code == 0
    incidents = [json.loads(line) for line in done.out.splitlines()]
    assert len(incidents) >= 3
    assert "invented" in done.err
    assert not list(bigsec.folder.iterdir())


def test_the_demo_can_be_looked_at_afterwards(bigsec: Runner) -> None:
    done = bigsec.on_terminal("demo", "--output", "demo", "--color", "never")
    assert done.code == 0
    number = json.loads(bigsec("incidents", "list", "--store", "demo").out.splitlines()[0])[
        "number"
    ]
    assert number in done.out
    assert bigsec("incidents", "show", number, "--store", "demo").code == 0
