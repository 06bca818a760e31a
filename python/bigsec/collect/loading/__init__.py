"""Reading the configuration: layers in, settings or all faults at once out.

Order, a later layer wins for each key: defaults, `/etc/bigsec/bigsec.toml`, `conf.d/*.toml` beside
it (both replaced by files named with `--config`), variables `BIGSEC__SECTION__KEY`, options.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from bigsec.collect.loading.checks import contradictions, file_faults
from bigsec.collect.loading.judging import Judge
from bigsec.collect.loading.layers import (
    FOLDER,
    Layer,
    environment_layer,
    file_layer,
    files_of,
    flag_layer,
)
from bigsec.collect.loading.places import KeyPath
from bigsec.collect.settings import Settings
from bigsec.errors import ConfigError, Problem

__all__ = ["Loaded", "Origin", "config_error", "flag_layer", "load"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Which layer a value came from; line 0 where it has none."""

    layer: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid configuration, the files it was read from, and where each value came from."""

    settings: Settings
    files: tuple[str, ...]
    origins: Mapping[KeyPath, Origin]


def load(
    configs: Iterable[str] = (),
    *,
    environ: Mapping[str, str] | None = None,
    flags: Iterable[Layer] = (),
    folder: str = FOLDER,
) -> Loaded:
    """Read and check every layer. Raises ConfigError with all faults.

    configs: files that replace those of the folder.
    """
    files = [str(path) for path in files_of(configs, folder)]
    layers: list[Layer] = []
    problems: list[Problem] = []
    for path in files_of(configs, folder):
        layer, found = file_layer(path)
        layers.append(layer)
        problems += found
    layers += environment_layer(environ)
    layers += flags
    merged = _Merged()
    for layer in layers:
        merged.add(layer)
    judge = Judge(merged.values, merged.origins)
    settings, found = _validate(merged, judge)
    problems += found
    if settings is not None:
        problems += contradictions(settings, judge)
        problems += file_faults(settings, judge)
    if problems or settings is None:
        raise config_error(problems)
    return Loaded(settings, tuple(files), dict(_origins(merged)))


def config_error(problems: list[Problem]) -> ConfigError:
    """The exception of faults, in order of their places."""
    ordered = sorted(problems, key=lambda one: (one.file, one.line, one.column))
    first = ordered[0]
    more = f", and {len(ordered) - 1} more" if len(ordered) > 1 else ""
    place = f"{first.file}:{first.line}: " if first.file and first.line else ""
    return ConfigError(first.code, first.name, f"{place}{first.message}{more}", tuple(ordered))


class _Merged:
    """The values of all layers so far, each with the layer that gave it."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[KeyPath, Layer] = {}

    def add(self, layer: Layer) -> None:
        self._merge(self.values, layer.values, (), layer)

    def _merge(
        self, into: dict[str, Any], values: dict[str, Any], path: KeyPath, layer: Layer
    ) -> None:
        for key, value in values.items():
            here = (*path, key)
            if isinstance(value, dict) and isinstance(into.get(key), dict):
                self._merge(into[key], value, here, layer)
                continue
            into[key] = _copy(value)
            for below in _paths(value, here):
                self.origins[below] = layer


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _paths(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    yield path
    below: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        below = value.items()
    elif isinstance(value, list):
        below = enumerate(value)
    for key, one in below:
        yield from _paths(one, (*path, key))


def _validate(merged: _Merged, judge: Judge) -> tuple[Settings | None, list[Problem]]:
    try:
        return Settings.model_validate(merged.values), []
    except ValidationError as error:
        faults = error.errors(include_url=False)
    # A variable whose text reads as a number may be meant as text: `BIGSEC__NAME=7`.
    if _as_written(
        merged, [judge.path_of(one["loc"]) for one in faults if one["type"] == "string_type"]
    ):
        return _validate(merged, judge)
    return None, [judge.of_pydantic(one) for one in faults]


def _as_written(merged: _Merged, paths: list[KeyPath]) -> bool:
    changed = False
    for path in paths:
        layer = merged.origins.get(path)
        raw = layer.written.get(path) if layer else None
        if raw is None:
            continue
        node: Any = merged.values
        for key in path[:-1]:
            node = node[key]
        changed |= node[path[-1]] != raw
        node[path[-1]] = raw
    return changed


def _origins(merged: _Merged) -> Iterator[tuple[KeyPath, Origin]]:
    for path, layer in merged.origins.items():
        place = layer.places.get(path)
        yield path, Origin(layer.name, place.line if place else 0)
