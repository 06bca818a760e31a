"""The class of an incident after GB/T 20986, from what its rules say of the attack.

The table is `packs/tables/gb_20986.toml`, with the date from which it holds and whether somebody
has compared it with the standard's text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from bigsec.errors import PackError

__all__ = ["Classification", "Warned", "classify", "warning_of"]

_TABLE: Final = Path(__file__).parents[2] / "packs" / "tables" / "gb_20986.toml"
_OTHER: Final = "AB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """Category and class, by what they were found, and how far the table can be trusted.

    by: the technique or tactic that decided; None where none did.
    """

    standard: str
    effective: str
    verified: bool
    number: int
    category: str
    category_zh: str
    category_en: str
    class_zh: str
    class_en: str
    by: str | None

    def text(self, language: str = "en") -> str:
        """`02 网络攻击事件 / 凭据攻击` for people, with a mark where it is not verified."""
        if language == "zh":
            mark = "" if self.verified else "（对照表未经标准原文核对）"
            return f"{self.number:02} {self.category_zh} / {self.class_zh}{mark}"
        mark = "" if self.verified else " (table not verified against the standard)"
        return f"{self.number:02} {self.category_en} / {self.class_en}{mark}"

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "standard": self.standard,
            "effective": self.effective,
            "verified": self.verified,
            "category": {
                "number": self.number,
                "code": self.category,
                "zh": self.category_zh,
                "en": self.category_en,
            },
            "class": {"zh": self.class_zh, "en": self.class_en},
            "by": self.by,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A proposal of level and colour of a warning, from the urgency; people decide."""

    level: str
    level_zh: str
    colour: str
    colour_zh: str
    verified: bool

    def text(self, language: str = "en") -> str:
        """`II 重大（橙色，建议）` for people."""
        if language == "zh":
            return f"{self.level} 级 {self.level_zh}（{self.colour_zh}预警，建议）"
        return f"level {self.level}, {self.colour} (proposed)"

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "level": self.level,
            "level_zh": self.level_zh,
            "colour": self.colour,
            "colour_zh": self.colour_zh,
            "verified": self.verified,
        }


@dataclass(frozen=True, slots=True)
class _Class:
    category: str
    zh: str
    en: str
    techniques: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()

    def fits(self, techniques: Sequence[str], tactics: Sequence[str]) -> str | None:
        """The technique or tactic that this class is for."""
        for one in techniques:
            if one.split(".", 1)[0] in self.techniques:
                return one
        return next((one for one in tactics if one in self.tactics), None)


def classify(techniques: Sequence[str], tactics: Sequence[str]) -> Classification:
    """The first class of the table that fits. Raises PackError for a table that is none."""
    head, classes = _table()
    for one in classes:
        by = one.fits(techniques, tactics)
        if by is not None:
            return _made(head, one, by)
    return _made(head, _Class(_OTHER, "其他", "other"), None)


def warning_of(urgency: int) -> Warned:
    """The first level of the table that an urgency (0 to 100) reaches."""
    head, _ = _table()
    found = next(one for one in head["warnings"] if urgency >= one["urgency"])
    return Warned(
        level=found["level"],
        level_zh=found["zh"],
        colour=found["colour"],
        colour_zh=found["colour_zh"],
        verified=head["verified"],
    )


def _made(head: dict[str, Any], one: _Class, by: str | None) -> Classification:
    category = head["categories"][one.category]
    return Classification(
        standard=head["standard"],
        effective=head["effective"].isoformat(),
        verified=head["verified"],
        number=category["number"],
        category=one.category,
        category_zh=category["zh"],
        category_en=category["en"],
        class_zh=one.zh,
        class_en=one.en,
        by=by,
    )


@cache
def _table() -> tuple[dict[str, Any], tuple[_Class, ...]]:
    try:
        head = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
        classes = tuple(
            _Class(
                one["category"],
                one["zh"],
                one["en"],
                tuple(one.get("techniques", ())),
                tuple(one.get("tactics", ())),
            )
            for one in head.pop("classes")
        )
        for one in (*classes, _Class(_OTHER, "", "")):
            _made(head, one, None)
        if head["warnings"][-1]["urgency"] != 0:
            raise ValueError("the last of [[warnings]] has an urgency above 0")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError("BS2201", "pack.invalid", f"{_TABLE}: {error}") from None
    return head, classes
