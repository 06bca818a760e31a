"""Where the keys and values of a TOML text stand.

The standard reader gives values without places. This walks a text that the reader has accepted, so
it need not judge it: it only finds where each key and its value begin and end.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

__all__ = ["KeyPath", "Place", "find_places", "place_at"]

KeyPath = tuple[str | int, ...]

_BLANK: Final = " \t\r"
_BARE_END: Final = frozenset(" \t\r\n=.]")
_VALUE_END: Final = frozenset(",]}#\n")


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column of a key, from 1, and of its value where it has one in a line."""

    line: int
    column: int
    length: int
    value: Place | None = None


def find_places(text: str) -> dict[KeyPath, Place]:
    """The place of every key, table and element of a valid TOML text."""
    return _Walk(text).document()


def place_at(text: str, offset: int, length: int = 1) -> Place:
    """The place of an offset."""
    before = text.rfind("\n", 0, offset) + 1
    return Place(text.count("\n", 0, offset) + 1, offset - before + 1, length)


class _Walk:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lines = [0, *(at + 1 for at, one in enumerate(text) if one == "\n")]
        self._found: dict[KeyPath, Place] = {}
        self._lengths: dict[KeyPath, int] = {}

    def document(self) -> dict[KeyPath, Place]:
        table: KeyPath = ()
        while self._skip_lines():
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._found

    def _header(self) -> KeyPath:
        start = self._at
        many = self._text.startswith("[[", start)
        self._at += 2 if many else 1
        keys = self._keys()
        self._at = self._text.index("]", self._at) + (2 if many else 1)
        path = self._through_arrays(keys[:-1])
        path = (*path, keys[-1])
        if many:
            index = self._lengths.get(path, 0)
            self._lengths[path] = index + 1
            path = (*path, index)
        self._note(path, start, self._at - start)
        return path

    def _through_arrays(self, keys: list[str]) -> KeyPath:
        """A header speaks of the last element of each array of tables that it names."""
        path: KeyPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> None:
        start = self._at
        path = (*table, *self._keys())
        end = self._at
        self._at = self._text.index("=", self._at) + 1
        self._skip(_BLANK)
        value = self._at
        self._value(path)
        length = len(self._text[value : self._at].split("\n")[0].rstrip())
        self._note(path, start, end - start, self._place(value, length))

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANK)
            keys.append(self._key())
            after = self._at
            self._skip(_BLANK)
            if self._at >= len(self._text) or self._text[self._at] != ".":
                self._at = after
                return keys
            self._at += 1

    def _key(self) -> str:
        start = self._at
        if self._text[start] in "\"'":
            self._string()
            (key,) = tomllib.loads(f"{self._text[start : self._at]} = 0")
            return key
        while self._at < len(self._text) and self._text[self._at] not in _BARE_END:
            self._at += 1
        return self._text[start : self._at]

    def _value(self, path: KeyPath) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            start = self._at
            while self._at < len(self._text) and self._text[self._at] not in _VALUE_END:
                self._at += 1
            self._at = start + len(self._text[start : self._at].rstrip())

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._skip_lines(",") and self._text[self._at] != "]":
            start = self._at
            self._value((*path, index))
            here = self._place(start, len(self._text[start : self._at].split("\n")[0]))
            self._found.setdefault((*path, index), Place(here.line, here.column, here.length, here))
            index += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._skip_lines(",") and self._text[self._at] != "}":
            self._pair(path)
        self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        if self._text.startswith(quote * 3, self._at):
            self._at += 3
            while not self._text.startswith(quote * 3, self._at):
                self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
            self._at += 3
            while self._text.startswith(quote, self._at):  # up to two quotes may end the text
                self._at += 1
            return
        self._at += 1
        while self._text[self._at] != quote:
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += 1

    def _skip(self, what: str) -> None:
        while self._at < len(self._text) and self._text[self._at] in what:
            self._at += 1

    def _skip_lines(self, also: str = "") -> bool:
        """Go over blanks, line ends and comments; False at the end of the text."""
        while self._at < len(self._text):
            one = self._text[self._at]
            if one == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif one in " \t\r\n" or one in also:
                self._at += 1
            else:
                return True
        return False

    def _note(self, path: KeyPath, start: int, length: int, value: Place | None = None) -> None:
        here = self._place(start, length)
        place = Place(here.line, here.column, length, value)
        # Of a dotted key or header, each table on the way is first met here.
        for depth in range(1, len(path)):
            self._found.setdefault(path[:depth], Place(here.line, here.column, length))
        self._found[path] = place

    def _place(self, offset: int, length: int) -> Place:
        line = bisect_right(self._lines, offset)
        return Place(line, offset - self._lines[line - 1] + 1, length)
