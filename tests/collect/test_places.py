"""Keys and values of TOML are found where they stand."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bigsec.collect.loading.places import find_places
from bigsec.collect.settings.writing import toml

KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
)
LEAVES = st.one_of(
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x7f"), max_size=12),
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
TABLES = st.dictionaries(KEYS, VALUES, max_size=4)


@given(st.dictionaries(KEYS, TABLES, max_size=4))
def test_each_key_and_value_stands_at_its_place(tables: dict[str, dict[str, Any]]) -> None:
    lines = []
    for table, pairs in tables.items():
        lines += ["# [no.table]", f"  [ {_quoted(table)} ]  # = 1"]
        lines += [f"{_quoted(key)}\t= {toml(value)} # {key!a}" for key, value in pairs.items()]
    text = "\n".join(lines)
    assert tomllib.loads(text) == tables
    found = find_places(text)
    for table, pairs in tables.items():
        for key, value in pairs.items():
            place = found[table, key]
            line = text.split("\n")[place.line - 1]
            shown = line[place.column - 1 : place.column - 1 + place.length]
            assert shown.rstrip() == _quoted(key)
            assert place.value is not None
            start = place.value.column - 1
            assert line[start : start + place.value.length] == toml(value)


def _quoted(key: str) -> str:
    return toml(key)


def test_dotted_keys_inline_tables_and_arrays_of_tables() -> None:
    text = (
        'a.b."c.d" = 1\n[[x]]\ny = [1, { z = """\n]\n""" }, [\n  3, # ]\n]]\n'
        "[[x]]\n[x.deep]\nk = '''a'b'''\n[a.b.e]\n"
    )
    found = find_places(text)
    assert tomllib.loads(text)["x"][0]["y"][1]["z"] == "]\n"
    assert (found["a", "b", "c.d"].line, found["a", "b", "c.d"].column) == (1, 1)
    assert found["x", 0, "y", 1, "z"].line == 3
    assert found["x", 0, "y", 2, 0].line == 6
    assert found["x", 1].line == 8
    assert found["x", 1, "deep", "k"].line == 10
    assert found["a", "b", "e"].line == 11
