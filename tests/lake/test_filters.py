"""Filters: what they find, and what is said of those that cannot be understood."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from lakes import CASES, numbers

from bigsec.errors import QueryError
from bigsec.lake import Lake, condition_of

FOUND = yaml.safe_load((CASES / "filters.yaml").read_text())
FAULTS = yaml.safe_load((CASES / "faults.yaml").read_text())
SPECIAL = "+-!(){}[]^\"~*?:\\/<>=&|% _'\n;,.aZ09é登"


@pytest.mark.parametrize(("about", "text", "expected"), FOUND, ids=[row[0] for row in FOUND])
def test_a_filter_finds(few: Lake, about: str, text: str, expected: list[int]) -> None:
    assert sorted(numbers(few.query(text))) == expected
    assert few.count(text) == len(expected)


@pytest.mark.parametrize(("text", "column", "word"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_has_its_column_and_a_mend(text: str, column: int, word: str) -> None:
    with pytest.raises(QueryError) as raised:
        condition_of(text)
    (problem,) = raised.value.problems
    assert problem.column == column
    assert problem.mend
    assert word in problem.message + problem.mend


def test_relative_times_count_from_now() -> None:
    now = datetime(2026, 11, 2, 12, tzinfo=UTC)
    made = condition_of("time_effective:>=now-4h", now)
    assert made.values == [now - timedelta(hours=4)]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3_000 + "a" + ")" * 3_000,
        "NOT " * 1_900 + "a",
        "a " * 3_900,
        "a:(" * 2_000,
        "x" * 8_001,
        " OR ".join(["user_name:x"] * 501),
    ],
    ids=["parentheses", "not", "terms", "groups", "long", "or"],
)
def test_t6_a_filter_without_bounds_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        condition_of(text)


@given(st.text(alphabet=SPECIAL, max_size=60) | st.text(max_size=60))
@example("\x00")
@example("\ud800")
def test_any_text_is_a_filter_or_a_fault(few: Lake, text: str) -> None:
    try:
        few.count(text)
    except QueryError as error:
        (problem,) = error.problems
        assert 1 <= problem.column <= len(text) + 1


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_t11_a_value_in_quotes_is_only_a_value(few: Lake, value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    assert few.count(f'message:"{escaped}"') <= 1


@pytest.mark.parametrize("pattern", ["(", "a{9999}", "[", "(?<x>a)(?P=x)", "*"])
def test_a_pattern_that_is_none_is_a_fault(few: Lake, pattern: str) -> None:
    with pytest.raises(QueryError):
        few.count(f"message:/{pattern}/")
    with pytest.raises(QueryError):
        list(few.query(f"/{pattern}/"))
