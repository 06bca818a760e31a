"""Reading the fields of a batch's rows, and saying which one is not as the schema has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from bigsec.detect import moments
from bigsec.errors import SchemaError

__all__ = ["identifier", "identifiers", "moment", "number", "optional_text", "text", "texts"]

_ID_DIGITS: Final = 32
_TEXT: Final = frozenset((str,))
_HEXADECIMAL: Final = frozenset("0123456789abcdef")


def fault(name: str, value: object, wanted: str) -> SchemaError:
    """The error for a field that is not what the schema says."""
    shown = repr(value)[:80]
    return SchemaError("BS3002", "event.schema", f"field `{name}` is {shown}, not {wanted}")


def text(row: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text; default where the field is absent, else it is needed."""
    value = row.get(name, default)
    if not isinstance(value, str):
        raise fault(name, value, "a text")
    return value


def optional_text(row: Mapping[str, Any], name: str) -> str | None:
    """A text, or None where the field is absent or empty."""
    return text(row, name, "") or None


def number(row: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number; default where the field is absent."""
    value = row.get(name, default)
    if not isinstance(value, int):
        raise fault(name, value, "a whole number")
    return value


def texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Several texts; none where the field is absent."""
    values = row.get(name, ())
    if not isinstance(values, list | tuple) or not set(map(type, values)) <= _TEXT:
        raise fault(name, values, "a list of texts")
    return tuple(values)


def identifier(row: Mapping[str, Any], name: str) -> str:
    """An id of 32 hexadecimal digits."""
    value = row.get(name)
    if not _is_id(value):
        raise fault(name, value, "32 hexadecimal digits")
    return str(value)


def identifiers(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Several ids; none where the field is absent."""
    values = texts(row, name)
    for value in values:
        if not _is_id(value):
            raise fault(name, value, "32 hexadecimal digits")
    return values


def moment(row: Mapping[str, Any], name: str) -> datetime | None:
    """A time, or None where the field is absent."""
    value = row.get(name)
    if value is None:
        return None
    try:
        return moments.from_text(value)
    except (TypeError, ValueError, AttributeError):
        raise fault(name, value, "a time in ISO 8601") from None


def _is_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == _ID_DIGITS and _HEXADECIMAL.issuperset(value)
