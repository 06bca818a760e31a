"""The scorer's lines are read back into figures, and a scorer that fails is told."""

from __future__ import annotations

from pathlib import Path

import pytest

import scorer
from sets import Void


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        (
            "all                              P 0.9900 R 0.9800 F1 0.9850 (tp 99 fp 1 fn 2)",
            {
                "group": "all",
                "precision": 0.99,
                "recall": 0.98,
                "f1": 0.985,
                "true_positive": 99,
                "false_positive": 1,
                "false_negative": 2,
            },
        ),
        (
            "level:rule not in oracle         P 0.0000 R 0.0000 F1 0.0000 (tp 0 fp 3 fn 0)",
            {
                "group": "level:rule not in oracle",
                "precision": 0.0,
                "recall": 0.0,
                "f1": 0.0,
                "true_positive": 0,
                "false_positive": 3,
                "false_negative": 0,
            },
        ),
        ("passed 115 of 115", {"what": "passed", "got": 115, "of": 115}),
        (
            "rules with the exact same event set 3 of 4",
            {"what": "rules with the exact same event set", "got": 3, "of": 4},
        ),
        ("miss 0d46 Some Rule", {}),
    ],
)
def test_figures_are_read_from_a_line(text: str, figures: dict[str, object]) -> None:
    read = scorer.line(text)
    assert read.text == text
    assert dict(read.figures) == figures


def test_a_scorer_that_fails_is_told_with_its_words(tmp_path: Path) -> None:
    script = tmp_path / "score.py"
    script.write_text("raise SystemExit('the ruler broke')")
    with pytest.raises(Void, match="the ruler broke"):
        scorer.run(script, "pairs", tmp_path, tmp_path)
    with pytest.raises(Void, match="no scorer at"):
        scorer.run(tmp_path / "absent.py", "pairs", tmp_path, tmp_path)
