"""The layers of the configuration: files, environment, command line; a later one wins, per leaf."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bigsec.collect.loading.places import KeyPath, Place, find_places, place_at
from bigsec.errors import Problem

__all__ = ["FOLDER", "Layer", "environment_layer", "file_layer", "files_of", "flag_layer"]

FOLDER: Final = "/etc/bigsec"
PREFIX: Final = "BIGSEC__"
FILE_BYTES_MAX: Final = 1024 * 1024
"""A configuration of thousands of sources has a tenth of it."""

_DEEP_KEY: Final = re.compile(
    r"(?:^|[\[{,])[ \t]*(?:[\w\"'-]+[ \t]*\.[ \t]*){32}", re.MULTILINE | re.ASCII
)
"""A dotted key of more parts than any section has: the standard reader takes a time that grows with
the square of their number."""

_PLACE: Final = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(slots=True)
class Layer:
    """Values of one place. name: a file, a variable or an option, as messages call it."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, Place] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    written: dict[KeyPath, str] = field(default_factory=dict)
    """Of the environment and the command line: each value as it was written."""


def files_of(configs: Iterable[str], folder: str = FOLDER) -> list[Path]:
    """The files to read: those named, else the folder's own and its conf.d."""
    named = [Path(one) for one in configs]
    if named:
        return named
    main = Path(folder) / "bigsec.toml"
    parts = sorted((Path(folder) / "conf.d").glob("*.toml"))
    return ([main] if main.exists() else []) + parts


def file_layer(path: Path) -> tuple[Layer, list[Problem]]:
    """The layer of a file; empty, with the fault, where it cannot be read."""
    layer = Layer(str(path))
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        return layer, [_problem("BS4202", layer.name, f"cannot be read: {what}")]
    if len(raw) > FILE_BYTES_MAX:
        what = f"is larger than {FILE_BYTES_MAX:,} bytes"
        return layer, [_problem("BS4202", layer.name, what)]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        place = place_at(raw[: error.start].decode("utf-8"), error.start)
        return layer, [_problem("BS4203", layer.name, "not UTF-8", place)]
    text = text.removeprefix("\ufeff")
    layer.lines = text.split("\n")
    if deep := _DEEP_KEY.search(text):
        place = place_at(text, deep.start())
        return layer, [_problem("BS4203", layer.name, "nested too deep", place)]
    try:
        layer.values = tomllib.loads(text)
    except RecursionError:
        return layer, [_problem("BS4203", layer.name, "nested too deep")]
    except tomllib.TOMLDecodeError as error:
        return layer, [_syntax(error, layer)]
    layer.places = find_places(text)
    return layer, []


def environment_layer(environ: Mapping[str, str] | None = None) -> list[Layer]:
    """One layer for each variable BIGSEC__SECTION__KEY, in order of their names."""
    environ = os.environ if environ is None else environ
    names = sorted(name for name in environ if name.startswith(PREFIX))
    return [
        _written(name, tuple(name.removeprefix(PREFIX).lower().split("__")), environ[name])
        for name in names
    ]


def flag_layer(option: str, key: str, value: str) -> Layer:
    """The layer of one option. key: dotted."""
    return _written(option, tuple(key.split(".")), value)


def _written(name: str, path: tuple[str, ...], raw: str) -> Layer:
    tree: dict[str, Any] = {path[-1]: _literal(raw)}
    for key in reversed(path[:-1]):
        tree = {key: tree}
    return Layer(name, tree, written={path: raw})


def _literal(raw: str) -> Any:
    """The value as TOML reads it; what is no TOML is text as it stands."""
    try:
        found = tomllib.loads(f"value = {raw}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return raw
    return found["value"] if len(found) == 1 else raw


def _syntax(error: tomllib.TOMLDecodeError, layer: Layer) -> Problem:
    told = str(error)
    found = _PLACE.search(told)
    place = Place(len(layer.lines), 1, 1)
    if found is not None:
        told = told[: found.start()]
        if found[1] is not None:
            place = Place(int(found[1]), int(found[2]), 1)
    excerpt = layer.lines[place.line - 1].rstrip("\r") if layer.lines else ""
    return _problem("BS4203", layer.name, told, place, excerpt)


_NAMES = {"BS4202": "config.unreadable", "BS4203": "config.syntax"}
_MENDS = {
    "BS4202": "Check the path and its permissions; `bigsec config init` writes one to begin with.",
    "BS4203": "Mend the syntax there; text stands in quotes, and a table is [section].",
}


def _problem(
    code: str, file: str, what: str, place: Place | None = None, excerpt: str = ""
) -> Problem:
    return Problem(
        code,
        _NAMES[code],
        what,
        file=file,
        line=place.line if place else 0,
        column=place.column if place else 0,
        length=place.length if place else 0,
        mend=_MENDS[code],
        excerpt=excerpt,
    )
