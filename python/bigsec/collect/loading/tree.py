"""The models as a tree of keys: what may stand where, and what is written about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from bigsec.collect.settings import Section, Settings

__all__ = ["is_table_of_tables", "keys_at", "kinds", "section_at", "type_of"]


def section_at(path: tuple[Any, ...], values: Mapping[str, Any]) -> type[Section] | None:
    """The section that a path names; of a table with a `type`, the one of that type."""
    model: type[Section] = Settings
    rest = list(path)
    node: Any = values
    while rest:
        field = model.model_fields.get(str(rest.pop(0)))
        if field is None:
            return None
        node = node.get(_key(field, model), {}) if isinstance(node, Mapping) else {}
        named = kinds(field)
        if is_table_of_tables(field):
            if not rest:
                return None
            key = rest.pop(0)
            node = node.get(key, {}) if isinstance(node, Mapping) else {}
            given = node.get("type") if isinstance(node, Mapping) else None
            named = [one for one in named if type_of(one) == given]
        if len(named) != 1:
            return None
        model = named[0]
    return model


def keys_at(path: tuple[Any, ...], values: Mapping[str, Any]) -> list[str]:
    """The keys that may stand in the table of a path."""
    section = section_at(path, values)
    return [] if section is None else list(section.model_fields)


def kinds(field: FieldInfo) -> list[type[Section]]:
    """The sections that a key can hold: none for a value, several where `type` tells them apart."""
    return list(dict.fromkeys(_sections(field.annotation)))


def is_table_of_tables(field: FieldInfo) -> bool:
    """Whether the key holds tables by names of the user's own."""
    return get_origin(field.annotation) is dict


def type_of(section: type[Section]) -> str | None:
    """The value of `type` that means this section."""
    field = section.model_fields.get("type")
    return None if field is None else str(get_args(field.annotation)[0])


def _sections(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
        return
    for inner in get_args(annotation):
        yield from _sections(inner)


def _key(field: FieldInfo, model: type[Section]) -> str:
    return next(name for name, one in model.model_fields.items() if one is field)
