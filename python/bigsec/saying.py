"""What an event says, in one line, for whoever looks through many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["said"]

_PATHS: Final = (
    ("message",),
    ("finding", "title"),
    ("process", "cmd_line"),
    ("http_request", "url", "text"),
    ("http_request", "url", "path"),
    ("query", "hostname"),
    ("api", "operation"),
    ("file", "path"),
    ("raw_data",),
)


def said(event: Mapping[str, Any]) -> str:
    """The first of the columns that a person would look at; a request with its method before it.

    event: as `Batch.to_pylist` gives it. Empty where it says nothing there.
    """
    for path in _PATHS:
        value: Any = event
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value:
            method = (event.get("http_request") or {}).get("http_method")
            return f"{method} {value}" if method and path[0] == "http_request" else str(value)
    return ""
