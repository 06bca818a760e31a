"""The part that an entity plays: the rules' table says what it is, the events say what it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bigsec.detect.signal import Entity, Role

__all__ = ["Parts", "parts_of", "with_roles"]

VALUE_MAX: Final = 512
"""Characters of a value that are kept. Longer ones are commands and addresses of web resources,
which stand whole in the event; databases index no more than a few thousand bytes."""

_USUAL: Final[dict[str, Role]] = {"ip": "source", "user": "source", "host": "target"}

_IAM_CLASSES: Final = range(3001, 3100)
"""OCSF identity and access classes: their `user` is the account that is acted on."""

_SYSTEM_FOLDERS: Final = (
    "c:\\windows\\system32\\",
    "c:\\windows\\syswow64\\",
    "c:\\windows\\winsxs\\",
    "c:\\windows\\explorer.exe",
    "c:\\windows\\microsoft.net\\",
    "c:\\program files",
    "/bin/",
    "/sbin/",
    "/lib/",
    "/usr/bin/",
    "/usr/sbin/",
    "/usr/lib/",
)
"""Not all of `c:\\windows\\`: its `temp` and `tasks` are where attackers put their own programs."""

Parts = Mapping[tuple[str, str], Role]
"""Kind and folded value of an entity → its role in one event."""


def with_roles(entities: Iterable[Entity], events: Sequence[Parts]) -> tuple[Entity, ...]:
    """The entities with their roles, each once, in a fixed order.

    events: the parts of those that the signal speaks of. Where they differ, the stronger role
    stands: an address that acts is a source, whatever else is done to it. Where they give the
    usual role to another of the same kind (the machine itself, beside the collector that its
    record came through), one that they do not name is merely related.
    """
    given = {(kind, role) for parts in events for (kind, _), role in parts.items()}
    found: dict[tuple[str, str], Entity] = {}
    for entity in entities:
        value = entity.value[:VALUE_MAX]
        if (entity.type, value) in found:
            continue
        key = (entity.type, _fold(entity.type, value))
        roles = [parts[key] for parts in events if key in parts]
        usual = _USUAL.get(entity.type, "related")
        unnamed: Role = "related" if (entity.type, usual) in given else usual
        role = min(roles, key=_strength) if roles else unnamed
        found[entity.type, value] = Entity(entity.type, value, role)
    return tuple(sorted(found.values()))


def parts_of(event: Mapping[str, Any]) -> Parts:
    """The parts that an event, nested as in OCSF, gives to those it names."""
    parts: dict[tuple[str, str], Role] = {}
    for key, role in _named(event):
        parts[key] = min(parts.get(key, role), role, key=_strength)
    return parts


def _strength(role: Role) -> int:
    return ("source", "target", "related", "common").index(role)


def _fold(kind: str, value: str) -> str:
    """One spelling for one thing: `CORP\\alice` and `alice@corp.example` are both `alice`."""
    folded = value.casefold().rstrip(".")
    return folded.rsplit("\\", 1)[-1].split("@", 1)[0] if kind == "user" else folded


def _named(event: Mapping[str, Any]) -> Iterable[tuple[tuple[str, str], Role]]:
    def part(kind: str, role: Role, *path: str) -> Iterable[tuple[tuple[str, str], Role]]:
        value = _at(event, *path)
        return [((kind, _fold(kind, value)), role)] if value else []

    yield from part("ip", "source", "src_endpoint", "ip")
    yield from part("ip", "source", "src_ip")
    yield from part("ip", "target", "dst_endpoint", "ip")
    yield from part("ip", "target", "dst_ip")
    yield from part("ip", "target", "device", "ip")
    device = _at(event, "device", "hostname").casefold()
    if _at(event, "src_endpoint", "hostname").casefold() != device:
        yield from part("host", "source", "src_endpoint", "hostname")
    yield from part("host", "target", "device", "hostname")
    yield from part("host", "target", "dst_endpoint", "hostname")
    yield from part("domain", "target", "http_request", "url", "hostname")
    yield from part("user", "source", "actor", "user", "name")
    acted_on = event.get("class_uid") in _IAM_CLASSES
    yield from part("user", "target" if acted_on else "source", "user", "name")
    for name in ("process", "file", "module"):
        yield from _hashes(event, name)


def _hashes(event: Mapping[str, Any], name: str) -> Iterable[tuple[tuple[str, str], Role]]:
    """The hashes of a program of the operating system link nobody: every machine has it."""
    if not _at(event, name, "path").casefold().startswith(_SYSTEM_FOLDERS):
        return
    for one in _at(event, name, "hashes").replace(";", ",").split(","):
        yield ("hash", one.rsplit("=", 1)[-1].strip().casefold()), "common"


def _at(event: Mapping[str, Any], *path: str) -> str:
    value: object = event
    for step in path:
        if not isinstance(value, dict):
            return ""
        value = value.get(step)
    return value if isinstance(value, str) else ""
