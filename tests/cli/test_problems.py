"""How a fault is shown."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bigsec.cli.problems import SHOWN_MAX, WARNINGS, is_error, render, show, to_object
from bigsec.errors import Problem

FAULT = Problem(
    code="BS2104",
    name="rule.unknown_modifier",
    message="unknown modifier `containz`",
    file="rules/web_login.yml",
    line=17,
    column=9,
    length=8,
    mend="did you mean `contains`?",
    excerpt="    url|containz: /admin",
)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGSEC_LANG", "en")


def _shown(problems: list[Problem]) -> str:
    stream = io.StringIO()
    show(problems, Console(file=stream, width=60, markup=False, highlight=False))
    return stream.getvalue()


def test_a_fault_has_kind_place_line_mark_and_mend() -> None:
    assert render(FAULT).plain.splitlines() == [
        "error[BS2104]: unknown modifier `containz`",
        "  ┌ rules/web_login.yml:17:9",
        "17│     url|containz: /admin",
        "  │         ^^^^^^^^",
        "help: did you mean `contains`?",
    ]


def test_in_chinese_the_kind_is_named_before_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGSEC_LANG", "zh_CN")
    assert render(FAULT).plain.startswith("错误[BS2104]：修饰符未知：unknown modifier")


def test_the_mark_stands_under_wide_characters_and_behind_tabs() -> None:
    fault = Problem(
        "BS2104", "n", "m", file="a", line=1, column=4, length=2, excerpt="\t中文坏的: x"
    )
    lines = render(fault).plain.splitlines()
    assert lines[2] == "1│  中文坏的: x"
    assert lines[3] == " │ " + " " * len(" 中文".encode("gbk")) + "^^^^"


def test_a_long_line_is_shown_around_its_fault() -> None:
    line = "a" * 150 + "BAD" + "z" * 150
    fault = Problem("BS1003", "n", "m", file="f", line=1, column=151, length=3, excerpt=line)
    shown, marks = render(fault).plain.splitlines()[2:4]
    assert len(shown) < 110
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "BAD"


def test_a_file_name_cannot_steer_the_terminal() -> None:
    fault = Problem("BS1101", "n", "no such file: \x1b]0;x\x07", file="\x1b[2Jx", mend="\x9b")
    assert not {"\x1b", "\x07", "\x9b"} & set(render(fault).plain)


@given(
    st.text(st.characters(codec=None), max_size=40),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_any_place_in_any_line_can_be_shown(
    excerpt: str, line: int, column: int, length: int
) -> None:
    fault = Problem(
        "BS2101", "n", "m", file="f", line=line, column=column, length=length, excerpt=excerpt
    )
    render(fault).plain.encode()


def test_all_are_shown_in_order_and_beyond_the_limit_counted() -> None:
    many = [
        Problem("BS2101", "rule.yaml", f"fault {line}", file="b.yml", line=line, column=1)
        for line in range(SHOWN_MAX + 25, 0, -1)
    ]
    first = Problem("BS2101", "rule.yaml", "in a", file="a.yml", line=900, column=1)
    shown = _shown([*many, first])
    assert shown.count("error[BS2101]") == SHOWN_MAX
    assert shown.index("in a") < shown.index("fault 1\n") < shown.index("fault 2\n")
    assert "… and 26 more" in shown


def test_programs_get_the_same_fault_as_an_object() -> None:
    assert to_object(FAULT) == {
        "code": "BS2104",
        "name": "rule.unknown_modifier",
        "severity": "error",
        "message": "unknown modifier `containz`",
        "file": "rules/web_login.yml",
        "line": 17,
        "column": 9,
        "mend": "did you mean `contains`?",
        "doc": "docs/reference/errors.md#bs2104",
    }


def test_warnings_are_faults_that_cost_nothing() -> None:
    assert all(not is_error(Problem(code, "n", "m")) for code in WARNINGS)
    assert is_error(Problem("BS1104", "input.cut_short", "m"))
