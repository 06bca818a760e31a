"""Lists and objects that stand as JSON text in a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from bigsec.errors import BigsecError, SchemaError
from bigsec.store import GarbledError

__all__ = ["read_object", "read_texts", "sound", "written"]


@contextmanager
def sound(what: str) -> Iterator[None]:
    """Around the making of objects from rows: a value of a wrong type is damage, not a defect."""
    try:
        yield
    except (BigsecError, GarbledError):
        raise
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise GarbledError(f"{what}: {error}") from error


def written(value: object) -> str:
    """The text for a row. Raises SchemaError for what JSON has no form for."""
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        message = f"the row holds what JSON has no form for: {error}"
        raise SchemaError("BS3002", "event.schema", message) from error


def read_texts(text: str) -> tuple[str, ...]:
    """A list of texts. Raises GarbledError."""
    value = _read(text)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise GarbledError("a list is none")
    return tuple(value)


def read_object(text: str) -> dict[str, Any]:
    """An object. Raises GarbledError."""
    value = _read(text)
    if not isinstance(value, dict):
        raise GarbledError("an object is none")
    return value


def _read(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise GarbledError(f"JSON: {error}") from error
