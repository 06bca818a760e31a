"""Every text stands in every language, and code names only keys that exist."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from bigsec.cli import wording

CLI = Path(wording.__file__).parent


def _places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_all_languages_have_the_same_keys_and_places() -> None:
    english, chinese = (wording.catalogue(name) for name in wording.LANGUAGES)
    assert english.keys() == chinese.keys()
    # Where a language needs no lead-in, it leaves the place out.
    may_differ = {"problem.kind_lead"}
    for key, template in english.items():
        if key not in may_differ:
            assert _places(template) == _places(chinese[key]), key


def test_chinese_texts_are_chinese() -> None:
    layout = re.compile(r"\.width$")
    for key, told in wording.catalogue("zh_CN").items():
        if not layout.search(key):
            assert re.search("[\u3000-\u9fff\uff00-\uffef]", told), f"{key}: {told}"


def _keys_in_code() -> tuple[set[str], set[str]]:
    """Keys given to `text` whole, and beginnings of those that are put together."""
    whole, beginnings = set(), set()
    for path in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in {"text", "text_or", "_row", "_add"}:
                continue
            for argument in node.args:
                for part in ast.walk(argument):
                    if isinstance(part, ast.JoinedStr):
                        first = part.values[0]
                        if isinstance(first, ast.Constant):
                            beginnings.add(str(first.value))
                    elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                        whole.add(part.value)
    return whole, beginnings


def test_no_text_stands_unused_and_none_is_missing() -> None:
    known = set(wording.catalogue("en"))
    whole, beginnings = _keys_in_code()
    # Tables of a command may name their keys in a loop: every string of the code counts as use.
    strings = {
        node.value
        for path in CLI.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    prefixes = tuple(one for one in beginnings | whole if one.endswith("."))
    for key in known:
        assert key in strings or key.startswith(prefixes), f"{key} is used nowhere"
    for key in whole:
        if re.fullmatch(r"[a-z_]+\.[a-z_]+", key) and key.split(".")[0] in {
            one.split(".")[0] for one in known
        }:
            assert key in known, f"{key} has no text"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "BIGSEC_LANG": "zh"}, "zh_CN"),
        ({"LANG": "zh_CN.GBK", "BIGSEC_LANG": "en"}, "en"),
        ({"BIGSEC_LANG": "", "LANG": "zh_TW.UTF-8"}, "zh_CN"),
    ],
)
def test_the_language_follows_the_first_variable_that_is_set(
    environ: dict[str, str], expected: str
) -> None:
    assert wording.language(environ) == expected
