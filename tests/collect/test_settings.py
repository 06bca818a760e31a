"""The models: one table of limits, each met exactly and exceeded by one; the file to begin with."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bigsec.collect.settings import Limits, Section, Settings, core_document
from bigsec.collect.settings.writing import example, keys, schema, tables


def _bounded() -> Iterator[Any]:
    """Every number with both bounds: (section, key, smallest, largest)."""
    sections = {section for _, _, section in tables()}
    for section in sorted(sections, key=lambda one: one.__name__):
        for name, field in section.model_fields.items():
            bounds = {
                key: value
                for rule in field.metadata
                for key in ("ge", "le")
                if (value := getattr(rule, key, None)) is not None
            }
            if len(bounds) == 2 and isinstance(field.default, int):
                at = f"{section.__name__}.{name}"
                yield pytest.param(section, name, bounds["ge"], bounds["le"], id=at)


@pytest.mark.parametrize(("section", "name", "low", "high"), list(_bounded()))
def test_a_bound_is_met_exactly_and_not_exceeded_by_one(
    section: type[Section], name: str, low: int, high: int
) -> None:
    required = {
        key: "x" if key != "url" else "https://h/"
        for key, field in section.model_fields.items()
        if field.is_required() and key not in {"type", "paths"}
    }
    if "paths" in section.model_fields and section.model_fields["paths"].is_required():
        required["paths"] = ["x"]  # type: ignore[assignment]
    if "type" in section.model_fields:
        required["type"] = section.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]
    for value in (low, high):
        assert getattr(section.model_validate({**required, name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValidationError):
            section.model_validate({**required, name: value})


def test_every_limit_says_what_it_is() -> None:
    for _, _, section in tables():
        for key in keys(section):
            assert key.about.endswith((".", "…")), f"{section.__name__}.{key.name}"
    assert all(key.shown for key in keys(Limits))


def test_the_file_to_begin_with_is_valid_as_it_is_and_says_the_defaults() -> None:
    text = example()
    begun = Settings.model_validate(tomllib.loads(text))
    assert begun == Settings(sources=begun.sources)
    lines = text.splitlines()
    values = [
        line.removeprefix("# ")
        for line in lines
        if line.startswith("# ") and " = " in line and "…" not in line
    ]
    sections = [line for line in lines if line.startswith("[") and "sources" not in line]
    assert len(sections) == 8
    # What stands behind the marks is TOML: taking a mark away must not break the file.
    for line in values:
        tomllib.loads(line)


def test_the_core_gets_every_value_written_out() -> None:
    given = {
        "sources": {
            "a": {"type": "file", "paths": ["/a"]},
            "b": {"type": "syslog_tcp", "tls": {"certificate_file": "c", "key_file": "k"}},
        },
        "sinks": {"x": {"type": "file", "path": "/x"}},
    }
    document = json.loads(core_document(Settings.model_validate(given)))
    assert set(document) == {"name", "data_dir", "log", "limits", "sources", "admin"}
    assert document["sources"]["b"]["tls"]["client_ca_file"] is None
    assert set(document["limits"]) == set(Limits.model_fields)


def test_the_schema_names_every_section_and_refuses_unknown_keys() -> None:
    made = schema()
    assert set(made["properties"]) == set(Settings.model_fields)
    assert all(one["additionalProperties"] is False for one in made["$defs"].values())


def test_the_example_of_the_how_to_is_a_configuration() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "run-the-daemon.md"
    blocks = re.findall(r"^```toml\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    for block in blocks:
        assert Settings.model_validate(tomllib.loads(block)).sources
