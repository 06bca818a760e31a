"""The words of the pages, in the reader's language.

Every sentence stands in `texts/<language>.toml` under a dotted key; templates hold keys only. Codes
and values that came out of logs and rules are never translated.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

__all__ = ["LANGUAGES", "PSEUDO", "Words", "catalogue", "choose"]

LANGUAGES: Final = {"en": "English", "zh-CN": "中文"}
PSEUDO: Final = "qps"
"""A language in which every text stands in ⟦brackets⟧."""
_FILES: Final = {"en": "en", "zh-CN": "zh_CN", PSEUDO: "en"}


@cache
def catalogue(name: str) -> dict[str, str]:
    """All texts of one file by dotted key."""
    raw = files("bigsec_api").joinpath("texts", f"{name}.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(raw)))


def _flat(prefix: str, table: Mapping[str, object]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, str):
            pairs.append((prefix + key, value))
        elif isinstance(value, dict):
            pairs += _flat(f"{prefix}{key}.", value)
    return pairs


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language: `words("list.total", total=3)`."""

    language: str

    def __call__(self, key: str, /, **values: object) -> str:
        """The text of a key with its places filled in. An unknown key is a bug: KeyError."""
        return self.said(catalogue(_FILES[self.language])[key].format(**values))

    def of(self, prefix: str, word: str) -> str:
        """The name of a word that a program uses; the word itself where it has none."""
        found = catalogue(_FILES[self.language]).get(f"{prefix}.{word}")
        return word if found is None else self.said(found)

    def has(self, prefix: str, word: str) -> bool:
        """Whether a word has a name."""
        return f"{prefix}.{word}" in catalogue(_FILES[self.language])

    def said(self, text: str) -> str:
        """A text in this language that another room's dictionary gave."""
        return f"⟦{text}⟧" if self.language == PSEUDO else text

    @property
    def data(self) -> Literal["en", "zh"]:
        """The language of dictionaries of the services."""
        return "zh" if self.language == "zh-CN" else "en"


def choose(*, asked: str | None, kept: str | None, accepted: str, pseudo: bool) -> str:
    """The language: of the URL, else of the cookie, else the first that the browser accepts."""
    known = {*LANGUAGES, PSEUDO} if pseudo else set(LANGUAGES)
    for given in (asked, kept):
        if given in known:
            return given
        if given is not None and given.lower().startswith("zh"):
            return "zh-CN"
    return _accepted(accepted)


def _accepted(header: str) -> str:
    weighed: list[tuple[float, int, str]] = []
    for place, part in enumerate(header[:500].split(",")):
        name, _, weight = part.partition(";q=")
        try:
            weighed.append((-float(weight or 1), place, name.strip().lower()))
        except ValueError:
            continue
    for _, _, name in sorted(weighed):
        if name.startswith("zh"):
            return "zh-CN"
        if name.startswith("en"):
            return "en"
    return "en"
