"""What the alerts of sensors speak of: `packs/sensors`, one file a sensor."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bigsec.errors import PackError

__all__ = ["Meaning", "Method", "Sensors", "Shape"]

_PACKS: Final = Path(__file__).parents[2] / "packs" / "sensors"
_METHODS: Final = "methods.toml"
_UNKNOWN: Final = "unclassified"
_INVALID: Final = ("BS2201", "pack.invalid")


@dataclass(frozen=True, slots=True)
class Method:
    """What somebody does: `packs/sensors/methods.toml` says what the fields mean."""

    name: str
    weight: float
    tactic: str | None = None
    technique: str | None = None
    wide: bool = False
    shared: bool = False
    detectors_min: int = 1
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one detector's alerts speak of, and how much they weigh."""

    method: Method
    weight: float


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a sensor's own records have what it saw, where and when; names of fields with dots.

    detector: fields whose texts together name what was seen; the last one must be there. needs:
    fields that tell its records from others.
    """

    prefix: str
    detector: tuple[str, ...]
    hosts: tuple[str, ...]
    times: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


class Sensors:
    """The tables, and what was looked up in them."""

    def __init__(self, folder: Path = _PACKS) -> None:
        """Read a folder of tables. Raises PackError naming the file and the place."""
        found = _read(folder / _METHODS)
        self.methods = {name: _method(name, told, folder) for name, told in found.items()}
        if _UNKNOWN not in self.methods:
            raise _fault(folder / _METHODS, f"[{_UNKNOWN}] is missing")
        self._shapes: list[Shape] = []
        self._tables: list[tuple[str, list[tuple[tuple[str, ...], Meaning]]]] = []
        for path in sorted(folder.glob("*.toml")):
            if path.name != _METHODS:
                self._add(path)
        unknown = self.methods[_UNKNOWN]
        self._unknown = Meaning(unknown, unknown.weight)
        self._known: dict[str, Meaning] = {}

    @property
    def shapes(self) -> Sequence[Shape]:
        """How the records of the sensors look that have a shape of their own."""
        return self._shapes

    def method(self, name: str) -> Method:
        """A method by its name; one that the tables no longer have is unclassified."""
        return self.methods.get(name, self._unknown.method)

    def meaning(self, detector: str) -> Meaning:
        """What this detector's alerts speak of."""
        known = self._known.get(detector)
        if known is None:
            known = self._look_up(detector)
            if len(self._known) < 100_000:
                self._known[detector] = known
        return known

    def _look_up(self, detector: str) -> Meaning:
        for prefix, table in self._tables:
            if detector.startswith(prefix):
                for parts, meaning in table:
                    if any(part in detector for part in parts):
                        return meaning
        return self._unknown

    def _add(self, path: Path) -> None:
        told = _read(path)
        table = []
        for number, entry in enumerate(_list(path, told, "alerts")):
            where = f"alerts[{number}]"
            method = self.methods.get(entry.get("method", "") if isinstance(entry, dict) else "")
            if method is None:
                raise _fault(path, f"{where}.method is none of {', '.join(self.methods)}")
            weight = entry.get("weight", method.weight)
            if not isinstance(weight, int | float) or isinstance(weight, bool) or weight < 0:
                raise _fault(path, f"{where}.weight is no number ≥ 0")
            parts = tuple(map(str, _list(path, entry, "contains", where)))
            table.append((parts, Meaning(method, float(weight))))
        prefixes = [str(prefix) for prefix in _list(path, told, "prefixes")]
        self._tables += [(prefix, table) for prefix in prefixes]
        record = told.get("record")
        if record is not None:
            self._shapes.append(_shape(path, prefixes[0], record))


def _shape(path: Path, prefix: str, record: Any) -> Shape:
    if not isinstance(record, dict):
        raise _fault(path, "[record] is no table")
    names = {"detector", "host", "time", "needs"}
    for name in record.keys() - names:
        raise _fault(path, f"record.{name} is none of {', '.join(sorted(names))}")
    fields: dict[str, tuple[str, ...]] = {}
    for name in names:
        wanted = record.get(name, [])
        one = [wanted] if isinstance(wanted, str) else wanted
        if not isinstance(one, list) or not all(isinstance(field, str) for field in one):
            raise _fault(path, f"record.{name} is no name of a field, and no list of them")
        fields[name] = tuple(one)
    for name in ("detector", "host"):
        if not fields[name]:
            raise _fault(path, f"record.{name} is missing")
    return Shape(prefix, fields["detector"], fields["host"], fields["time"], fields["needs"])


def _method(name: str, told: Any, folder: Path) -> Method:
    try:
        return Method(name, **told)
    except TypeError as error:
        raise _fault(folder / _METHODS, f"[{name}]: {error}") from None


def _list(path: Path, told: dict[str, Any], key: str, where: str = "") -> list[Any]:
    value = told.get(key)
    if not isinstance(value, list) or not value:
        raise _fault(path, f"{where}{'.' if where else ''}{key} is no list with entries")
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _fault(path, str(error)) from None


def _fault(path: Path, what: str) -> PackError:
    return PackError(*_INVALID, f"{path}: {what}")
