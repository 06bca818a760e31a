"""The words that people read, in their language.

Every sentence stands in `texts/<language>.toml` under a dotted key; code holds keys only. Codes,
field names and values are never translated. The language is chosen once, when the process starts.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "zh_CN")


def language(environ: Mapping[str, str] | None = None) -> str:
    """The language of the user, from the first variable that is set.

    `BIGSEC_LANG` wins over the locale's own variables. Any form of Chinese gives zh_CN, everything
    else gives en.
    """
    environ = os.environ if environ is None else environ
    for name in ("BIGSEC_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            return "zh_CN" if value.lower().startswith("zh") else "en"
    return "en"


@cache
def catalogue(name: str) -> dict[str, str]:
    """All texts of one language by dotted key."""
    raw = files(__package__).joinpath("texts", f"{name}.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(raw)))


def _flat(prefix: str, table: Mapping[str, object]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, str):
            pairs.append((prefix + key, value))
        elif isinstance(value, dict):
            pairs += _flat(f"{prefix}{key}.", value)
    return pairs


def text(key: str, /, **values: object) -> str:
    """The text of a key with its places filled in. An unknown key is a bug and raises KeyError."""
    return catalogue(language())[key].format(**values)


def text_or(key: str, otherwise: str) -> str:
    """The text of a key that may be newer than the catalogue, such as a kind of fault."""
    return catalogue(language()).get(key, otherwise)
