"""What the compiled core promises: its stubs, its codes, Arrow both ways."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bigsec
from bigsec import _core, errors

ROOT = Path(__file__).resolve().parents[2]


def test_the_stubs_say_what_the_build_has() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "bigsec._core", "--concise"],
        cwd=ROOT / "python",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_code_of_the_core_is_unique_and_told() -> None:
    codes = _core.codes()
    assert len({code.number for code in codes}) == len(codes)
    assert len({code.name for code in codes}) == len(codes)
    assert all(code.about.endswith(".") for code in codes)


def test_exceptions_pickle_with_their_problems() -> None:
    import pickle

    problem = errors.Problem("BS2101", "rule.yaml", "not YAML", file="a.yml", line=1, column=2)
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.BigsecError):
            again = pickle.loads(pickle.dumps(kind("BS2101", "rule.yaml", "no", (problem,))))  # noqa: S301
            assert type(again) is kind
            assert again.problems == (problem,)


def test_public_names_are_what_they_were() -> None:
    assert set(bigsec.__all__) == {
        "Batch", "BigsecError", "EventReader", "Indicators", "Ledger", "Packs", "Problem", "Rule",
        "Rules", "ScanChunk", "Scanner", "__version__", "community_id", "default_packs",
        "default_rules", "default_tables", "read", "scan",
    }  # fmt: skip
