"""The speed bench refuses a side that did not do its work, and gives its rows in one form."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import scan

DONE = {"events": 4, "bad_lines": 0, "matches": 2, "load_cpu_s": 0.0, "rss_kib_max": 2048}


def _command(report: dict[str, object]) -> list[str]:
    return [sys.executable, "-c", f"print({json.dumps(report)!r}); sum(range(2_000_000))"]


def test_a_run_costs_what_its_process_used() -> None:
    done = scan.run("peer", _command(DONE), expected=4)
    assert (done.events, done.matches, done.rss_kib_max) == (4, 2, 2048)
    assert done.run_cpu_s > 0
    assert done.rate == pytest.approx(4 / done.run_cpu_s)


@pytest.mark.parametrize(
    "fault", [{"events": 3}, {"bad_lines": 1}, {"matches": 0}, {"with_fields": 0}]
)
def test_a_run_that_did_not_do_the_work_is_refused(fault: dict[str, object]) -> None:
    with pytest.raises(scan.Failed):
        scan.run("peer", _command(DONE | fault), expected=4)


def test_a_process_that_fails_is_refused() -> None:
    with pytest.raises(scan.Failed, match="ended with 3"):
        scan.run("peer", [sys.executable, "-c", "raise SystemExit(3)"], expected=4)


def test_a_row_is_the_median_of_the_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    ours = [scan.Run(100, 1, 0.0, seconds, 1) for seconds in (1.0, 2.0, 50.0)]
    theirs = [scan.Run(100, 1, 0.0, seconds, 1) for seconds in (4.0, 4.0, 4.0)]
    scan.Table(as_json=True).row("a case", "a peer", ours, theirs)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "case": "a case",
        "peer": "a peer",
        "ours": 50,
        "theirs": 25,
        "ratio": 2.0,
    }


@pytest.mark.parametrize(("limit", "expected"), [(None, 10), (4, 4), (99, 10)])
def test_a_sample_is_even_and_has_no_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None, expected: int
) -> None:
    for number, folder in enumerate(scan.FOLDERS):
        path = tmp_path / "windows-events" / folder / "flat.ndjson"
        path.parent.mkdir(parents=True)
        records = ({"_id": f"{folder}/{n}", "_file": "f", "n": 2 * number + n} for n in range(2))
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    monkeypatch.setattr(scan, "SHARED", tmp_path)
    written = scan.write_corpus(tmp_path / "corpus.ndjson", limit).read_text().splitlines()
    numbers = [json.loads(line)["n"] for line in written]
    assert len(numbers) == expected
    assert all(list(json.loads(line)) == ["n"] for line in written)
    gaps = {after - before for before, after in pairwise(numbers)}
    assert max(gaps) - min(gaps) <= 1


def test_the_readme_has_a_line_for_every_question() -> None:
    bench = Path(scan.__file__).parent
    readme = (bench / "README.md").read_text(encoding="utf-8")
    questions = [path.name for path in bench.glob("*.py") if "argparse" in path.read_text()]
    assert {"score.py", "scan.py"} <= set(questions)
    assert all(f"| `{name}" in readme for name in questions)
