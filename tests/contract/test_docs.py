"""The generated pages of the reference say what the code has."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "docs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if re.match(r"https?://", target):
                continue
            path, _, anchor = target.partition("#")
            there = page.parent / path if path else page
            assert there.exists(), f"{page}: {target}"
            if anchor and there.suffix == ".md":
                assert anchor in _anchors(there), f"{page}: {target}"


def _anchors(page: Path) -> set[str]:
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def test_the_architecture_page_names_files_that_exist() -> None:
    folder = ROOT
    for line in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            named = re.search(r"`((?:rust|python|api)[^`]*)`", line)
            folder = ROOT / named[1] if named else ROOT
            continue
        for name in re.findall(r"`([\w./*-]+(?:\.\w+|/))`", line):
            if "*" in name or name.startswith((".", "bigsec.")):
                continue
            below = folder != ROOT and next(folder.rglob(name.rstrip("/")), None) is not None
            assert below or (ROOT / name).exists(), f"{name} in: {line}"


def test_the_architecture_page_stays_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) < 300


def test_the_page_of_promises_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "reference" / "promises.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([PT]\d+): [^|]+\|([^|]+)\|", page, re.MULTILINE)
    assert len(rows) >= 20
    for promise, tests in rows:
        named = [one for name in re.findall(r"`([^`]+)`", tests) for one in _spelt_out(name)]
        assert named, promise
        assert all((ROOT / one).exists() for one in named), f"{promise}: {named}"


def _spelt_out(name: str) -> list[str]:
    """`a/{b,c}/d` as `a/b/d` and `a/c/d`."""
    found = re.search(r"\{([^}]*)\}", name)
    if found is None:
        return [name]
    return [name.replace(found[0], one) for one in found[1].split(",")]
