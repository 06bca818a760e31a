"""The view by ECS names: cases, and that it holds for whatever stands in a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bigsec

CASES = json.loads((Path(__file__).parent / "cases" / "ecs.json").read_text())
PIECES = st.sampled_from([
    "http://", "a@b.example.net", "CORP\\x", "192.0.2.7", ":443", "[::1]", "C:\\a\\b.exe", "/etc/x",
    "=", ":", '"', "'", "(", "]", "<", ">", " ", "user ", "用户 ", "中", "\\", "%", "?", "#", "@",
])  # fmt: skip
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=20).map("".join)


def documents(*records: str) -> list[dict[str, Any]]:
    return [one for batch in bigsec.read(list(records), name="case") for one in batch.to_ecs()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["says"])
def test_a_case(case: dict[str, Any]) -> None:
    (document,) = documents(case["raw"])
    shown = {name: document.get(name) for name in case["document"]}
    assert shown == case["document"]


@given(TEXTS)
def test_every_value_of_a_sentence_stands_in_it(text: str) -> None:
    for document in documents(text):
        for name, value in document.items():
            values = value if isinstance(value, list) else [value]
            if name.startswith(("prose.", "related.")):
                assert all(str(one) in text for one in values), name


@given(st.dictionaries(st.text(min_size=1, max_size=8), TEXTS, min_size=1, max_size=5))
def test_every_field_is_in_the_document_and_each_part_in_its_value(fields: dict[str, str]) -> None:
    (document,) = documents(orjson.dumps(fields).decode())
    every = [
        v for value in document.values() for v in (value if isinstance(value, list) else [value])
    ]
    told = {str(value) for value in every}
    for value in fields.values():
        # A JSON document or a number within a string is told by its own parts.
        if value and not value.lstrip().startswith(("{", "[", "<")):
            assert value in told


def test_documents_are_in_the_order_of_their_events() -> None:
    made = documents("198.51.100.1 a", "198.51.100.2 b")
    assert [one["related.ip"] for one in made] == ["198.51.100.1", "198.51.100.2"]
