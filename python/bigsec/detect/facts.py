"""What grouping knows of a signal: when, which rule, and the keys by which it can be linked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bigsec.detect.signal import Entity

__all__ = ["Fact", "fact_of"]

_ADDRESSES: Final = 65_536
"""Addresses whose judgement is remembered."""

_PLACES: Final = ("host", "ip", "domain")
"""Kinds of target that say where something happened, the best first."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A signal as grouping sees it.

    sources: keys of who acts. targets: keys of what is acted on. shared: keys of what else may link
    it (a hash, a name asked for). events: ids. place: where it happened, for folding.
    """

    signal_id: str
    time_us: int
    rule_id: str
    place: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    shared: tuple[str, ...]
    events: tuple[str, ...]


def fact_of(
    signal_id: str,
    time_us: int,
    rule_id: str,
    log: str,
    entities: Iterable[Entity],
    events: Iterable[str],
) -> Fact:
    """The fact of a stored signal. log: name of the source that brought it."""
    known = [entity for entity in entities if _can_link(entity)]
    host = next((one.value for one in known if one.type == "host" and one.role == "target"), "")
    sources: list[str] = []
    targets: list[str] = []
    shared: list[str] = []
    for entity in known:
        key = _key(entity, host)
        if entity.role == "target":
            targets.append(key)
        elif entity.role == "source" and entity.type == "ip":
            sources.append(key)
        else:
            shared.append(key)
    if not sources:
        # Where no address acts, whoever acts is the source: an account, or another machine.
        acting = {_key(one, host) for one in known if one.role == "source"}
        sources = sorted(acting)
        shared = [key for key in shared if key not in acting]
    return Fact(
        signal_id,
        time_us,
        rule_id,
        _place(known, log),
        tuple(sources),
        tuple(targets),
        tuple(shared),
        tuple(events),
    )


def _key(entity: Entity, host: str) -> str:
    if entity.type != "user":
        return f"{entity.type}:{entity.value}"
    # `root` is somebody else on every machine.
    name = entity.value.casefold().rsplit("\\", 1)[-1]
    return f"user:{name}@{host}"


def _place(known: list[Entity], log: str) -> str:
    targets = [one for one in known if one.role == "target" and one.type in _PLACES]
    if not targets:
        return f"log:{log}"
    best = min(targets, key=lambda one: (_PLACES.index(one.type), one.value))
    return f"{best.type}:{best.value}"


def _can_link(entity: Entity) -> bool:
    """Files, programs and web addresses are the same on many machines: they are shown, no more."""
    if entity.role == "common":
        return False
    if entity.type == "ip":
        return _names_one_machine(entity.value)
    if entity.type == "host" and entity.role == "related":
        return False  # A collector that records came through has seen every machine.
    return entity.type in ("user", "host", "hash", "domain")


@lru_cache(maxsize=_ADDRESSES)
def _names_one_machine(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (
        parsed.is_loopback
        or parsed.is_unspecified
        or parsed.is_multicast
        or parsed.is_link_local
        or address == "255.255.255.255"
    )
