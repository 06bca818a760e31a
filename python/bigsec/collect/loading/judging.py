"""What pydantic finds becomes faults with places, a suggestion and a mend."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from bigsec.collect.loading.layers import Layer
from bigsec.collect.loading.places import KeyPath, Place
from bigsec.collect.loading.tree import keys_at, kinds, section_at, type_of
from bigsec.collect.settings import Settings
from bigsec.errors import Problem

__all__ = ["Judge"]

_SECRET: Final = re.compile(r"(^|_)(password|passwd|secret|token|api_?key|private_?key)$")
_SHOWN_MAX: Final = 60
_WORDS: Final = {
    "Input should be": "it must be",
    "a valid integer": "an integer",
    "a valid ": "a ",
    "List should have at least 1 item after validation, not 0": "it is empty",
    "String should match pattern": "it must fit",
}
_NAMES: Final = {
    "BS4204": "config.unknown_key",
    "BS4205": "config.bad_value",
    "BS4206": "config.missing_key",
    "BS4207": "config.secret",
    "BS4208": "config.contradiction",
}


class Judge:
    """Knows the merged values and which layer each came from."""

    def __init__(self, values: Mapping[str, Any], origins: Mapping[KeyPath, Layer]) -> None:
        self._values = values
        self._origins = origins

    def of_pydantic(self, error: Mapping[str, Any]) -> Problem:
        """The fault that one entry of `ValidationError.errors()` tells."""
        path = self.path_of(error["loc"])
        kind: str = error["type"]
        if kind == "extra_forbidden":
            return self._unknown(path)
        if kind == "missing":
            return self._missing(path)
        if kind == "union_tag_not_found":
            return self._missing((*path, "type"))
        if kind == "union_tag_invalid":
            return self._wrong_type(path, str(error["ctx"]["tag"]))
        if path and path[-1] == "[key]":
            return self._bad_name(path[:-1])
        return self._bad_value(path, error)

    def contradiction(self, path: KeyPath, message: str, mend: str) -> Problem:
        """Values that are right each for itself and cannot go together."""
        return self._problem("BS4208", path, message, mend, at_value=True)

    def file_fault(self, code: str, name: str, path: KeyPath, message: str, mend: str) -> Problem:
        """A fault of a file that the configuration names."""
        return self._problem(code, path, message, mend, at_value=True, name=name)

    def _unknown(self, path: KeyPath) -> Problem:
        key, table = str(path[-1]), path[:-1]
        known = keys_at(table, self._values)
        near = get_close_matches(key, known, n=1)
        if _SECRET.search(key) and key not in known:
            files = [one for one in known if one.endswith("_file")]
            name = files[0] if files else f"{key}_file"
            message = f"`{key}` would put a secret into the configuration"
            mend = f"write it into a file that only the daemon can read, and name that by `{name}`"
            return self._problem("BS4207", path, message, mend, excerpt=False)
        message = f"unknown key `{key}` {_where(table)}"
        elsewhere = self._elsewhere(key) if not near else ""
        mend = f"did you mean `{near[0]}`?" if near else elsewhere
        return self._problem("BS4204", path, message, mend or f"keys here: {', '.join(known)}")

    def _elsewhere(self, key: str) -> str:
        """The section that has the key, for one that stands in the wrong table."""
        for name, field in Settings.model_fields.items():
            if any(key in section.model_fields for section in kinds(field)):
                table = f"{name}.NAME" if name in {"sources", "sinks"} else name
                return f"`{key}` belongs into [{table}]"
        return ""

    def _missing(self, path: KeyPath) -> Problem:
        key, table = str(path[-1]), path[:-1]
        message = f"`{key}` is missing {_where(table)}"
        if key == "type":
            return self._problem("BS4206", table, message, f"one of {', '.join(_types(table))}")
        return self._problem("BS4206", table, message, f"{key} = …: {self._about(path)}".strip())

    def _wrong_type(self, path: KeyPath, given: str) -> Problem:
        types = _types(path)
        near = get_close_matches(given.lower().replace("-", "_"), types, n=1)
        mend = f"did you mean `{near[0]}`?" if near else f"one of {', '.join(types)}"
        message = f"{_where(path)} cannot be of type `{given[:_SHOWN_MAX]}`".removeprefix("in ")
        return self._problem("BS4205", (*path, "type"), message, mend, at_value=True)

    def _bad_name(self, path: KeyPath) -> Problem:
        message = f"`{str(path[-1])[:_SHOWN_MAX]}` cannot be a name {_where(path[:-1])}"
        mend = "lower-case letters, digits, `_` and `-`, a letter first, at most 63"
        return self._problem("BS4205", path, message, mend)

    def _bad_value(self, path: KeyPath, error: Mapping[str, Any]) -> Problem:
        told = str(error["msg"]).removeprefix("Value error, ")
        for words, better in _WORDS.items():
            told = told.replace(words, better)
        key = ".".join(map(str, path)) or "the configuration"
        if "password" in told:
            return self._problem("BS4207", path, f"`{key}`: {told}", "", excerpt=False)
        given = error.get("input")
        shown = "a table" if isinstance(given, Mapping) else repr(given)[:_SHOWN_MAX]
        message = f"`{key}` cannot be {shown}: {told}"
        return self._problem("BS4205", path, message, self._about(path), at_value=True)

    def _about(self, path: KeyPath) -> str:
        while path and isinstance(path[-1], int):
            path = path[:-1]
        if not path:
            return ""
        section = section_at(path[:-1], self._values)
        field = section.model_fields.get(str(path[-1])) if section else None
        return (field.description or "") if field else ""

    def path_of(self, loc: Sequence[str | int]) -> KeyPath:
        """The path in the file: pydantic names the type of a source in between."""
        path = tuple(loc)
        if len(path) > 2 and path[0] in {"sources", "sinks"} and path[2] in _types(path[:2]):
            return path[:2] + path[3:]
        return path

    def _problem(
        self,
        code: str,
        path: KeyPath,
        message: str,
        mend: str,
        *,
        at_value: bool = False,
        excerpt: bool = True,
        name: str | None = None,
    ) -> Problem:
        layer, place = self._place(path, at_value)
        line = layer.lines[place.line - 1].rstrip("\r") if layer and place and excerpt else ""
        return Problem(
            code,
            name or _NAMES[code],
            message,
            file=layer.name if layer else "",
            line=place.line if place else 0,
            column=place.column if place else 0,
            length=place.length if place else 0,
            mend=mend,
            excerpt=line,
        )

    def _place(self, path: KeyPath, at_value: bool) -> tuple[Layer | None, Place | None]:
        """The place of a path, or of the nearest table above it that stands somewhere."""
        for depth in range(len(path), 0, -1):
            layer = self._origins.get(path[:depth])
            if layer is None:
                continue
            place = layer.places.get(path[:depth])
            if place is not None and at_value and depth == len(path) and place.value:
                place = place.value
            return layer, place
        return None, None


def _types(path: KeyPath) -> list[str]:
    field = Settings.model_fields.get(str(path[0])) if path else None
    return [one for section in (kinds(field) if field else []) if (one := type_of(section))]


def _where(table: KeyPath) -> str:
    return f"in [{'.'.join(map(str, table))}]" if table else "at the top"
