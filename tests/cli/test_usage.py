"""Texts about a command line that cannot be understood."""

from __future__ import annotations

import pytest

from bigsec.cli.usage import check_choice, unknown_command
from bigsec.errors import FormatError


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGSEC_LANG", "en")


def test_a_wrong_choice_names_the_nearest_else_all() -> None:
    with pytest.raises(FormatError) as near:
        check_choice("--min-level", "hihg", ("low", "high"))
    assert near.value.problems[0].mend == "did you mean `high`?"
    with pytest.raises(FormatError) as far:
        check_choice("--min-level", "zzz", ("low", "high"))
    assert far.value.problems[0].mend == "one of low, high"


def test_an_unknown_command_names_the_nearest() -> None:
    assert unknown_command("sacn", ["scan", "parse"]).problems[0].mend == "did you mean `scan`?"
