"""What was lost is seen: the measure itself is measured."""

from __future__ import annotations

import pytest

from fields import Event, FieldMap, leaves


def test_every_leaf_has_its_path_and_its_value_as_written() -> None:
    line = b'{"A": {"b": [1.0, {"c": null}, 1e5], "d": {}, "e": []}, "f": true, "g": "1.0"}'
    assert list(leaves(line)) == [
        ("a.b", "1.0"),
        ("a.b.c", None),
        ("a.b", "1e5"),
        ("f", "true"),
        ("g", "1.0"),
    ]


@pytest.mark.parametrize(
    ("columns", "kept", "expected"),
    [
        ({"src_endpoint.ip": "192.0.2.1"}, {}, {"src": ["192.0.2.1"]}),
        ({}, {}, {}),
        # The original is kept beside the column: it speaks for itself.
        ({"src_endpoint.ip": "::1"}, {"src": ["0:0::1"]}, {"src": ["0:0::1"]}),
        # An alternate filled the column: its primary has no value of its own.
        ({"src_endpoint.ip": "192.0.2.1"}, {"from": ["192.0.2.1"]}, {"from": ["192.0.2.1"]}),
    ],
)
def test_a_field_is_found_where_a_rule_finds_it(
    columns: dict[str, str], kept: dict[str, list[str]], expected: dict[str, list[str]]
) -> None:
    field_map = FieldMap.read("Src\tsrc_endpoint.ip\nFrom\tsrc_endpoint.ip\n")
    event = Event(columns)
    event.fields.update({name: list(values) for name, values in kept.items()})
    field_map.fill(event)
    assert dict(event.fields) == expected
