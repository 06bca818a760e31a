"""Rules and events by the dice: small worlds in which rules match often enough to differ."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import yaml

NUMBER = "size"
_ADDRESS = "source"
_ADDRESSES = ("10.1.2.3", "10.1.3.4", "10.255.0.1", "192.168.0.1", "192.169.0.1", "", "localhost")
_TEXTS = ("image", "command", "user", "path", "note")
_WORDS = (
    "cmd.exe", "CMD.EXE", "powershell", "-enc", "/enc", "C:\\Windows\\", "c:\\temp\\a b.txt",
    "100%", "a_b", "aXb", "a*b", "what?", "it's", '"quoted"', "\\\\host\\share", "root", "",
    "10.1.2.3", "10.1.3.4", "192.168.0.1", "[x]", "x", "tab\there", "a\\*b", "Admin",
)  # fmt: skip
_PATTERNS = ("cmd", "^C:", r"\d+", "a.b$", "(?i)ADMIN", "[xy]", r"\\temp\\", "^$")
_CONDITIONS = (
    "a", "a and b", "a or b", "a and not b", "not a", "1 of them", "all of them",
    "a and not (b or c)", "(a or b) and c", "not a and not b", "not 1 of b*", "a or not c",
)  # fmt: skip
_MODIFIERS = (
    "", "", "", "contains", "contains", "startswith", "endswith", "contains|all", "re", "exists",
    "cased", "contains|cased", "startswith|cased", "fieldref",
)  # fmt: skip


def events(dice: random.Random, count: int) -> Iterator[dict[str, Any]]:
    """Flat events with an `_id`; a field may be missing, null or empty."""
    for index in range(count):
        event: dict[str, Any] = {"_id": f"e{index}"}
        for name in _TEXTS:
            if dice.random() < 0.8:
                event[name] = None if dice.random() < 0.05 else _text(dice)
        if dice.random() < 0.8:
            event[_ADDRESS] = dice.choice(_ADDRESSES)
        if dice.random() < 0.8:
            event[NUMBER] = dice.choice((-1, 0, 1, 5, 10, 4096))
        yield event


def rules(dice: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Id and text of rules for a log source that nothing else has."""
    for _ in range(count):
        rule_id = str(UUID(int=dice.getrandbits(128), version=4))
        detection: dict[str, Any] = {name: _selection(dice) for name in ("a", "b", "c")}
        detection["condition"] = dice.choice(_CONDITIONS)
        rule = {
            "title": f"Made up {rule_id}",
            "id": rule_id,
            "status": "test",
            "logsource": {"category": "made_up"},
            "detection": detection,
            "level": "low",
        }
        yield rule_id, yaml.safe_dump(rule, sort_keys=False, allow_unicode=True)


def _text(dice: random.Random) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(dice.choice((1, 1, 2, 3))))


def _selection(dice: random.Random) -> dict[str, Any]:
    return dict(_test(dice) for _ in range(dice.choice((1, 1, 2))))


def _test(dice: random.Random) -> tuple[str, Any]:
    if dice.random() < 0.15:
        modifier = dice.choice(("", "|gt", "|gte", "|lt", "|lte"))
        return NUMBER + modifier, dice.choice((-1, 0, 1, 5, 4096))
    if dice.random() < 0.1:
        networks = ("10.0.0.0/8", "10.1.2.0/24", "192.168.0.0/16", "192.168.0.0/15")
        return _ADDRESS + "|cidr", dice.choice(networks)
    name, modifier = dice.choice(_TEXTS), dice.choice(_MODIFIERS)
    return (f"{name}|{modifier}" if modifier else name), _value(dice, modifier)


def _value(dice: random.Random, modifier: str) -> Any:
    match modifier:
        case "exists":
            return dice.random() < 0.5
        case "re":
            return dice.choice(_PATTERNS)
        case "fieldref":
            return dice.choice(_TEXTS)
        case "contains|all":
            return [_wanted(dice) for _ in range(2)]
        case "" if dice.random() < 0.1:
            return None
        case _:
            wanted = [_wanted(dice) for _ in range(dice.choice((1, 1, 2, 3)))]
            return wanted if len(wanted) > 1 else wanted[0]


def _wanted(dice: random.Random) -> str:
    """A text as rules write it: a wildcard here and there, else escaped."""
    word = dice.choice([word for word in _WORDS if word])
    if dice.random() < 0.3:
        return dice.choice(("*", "?", "")) + word + dice.choice(("*", "?", ""))
    return word
