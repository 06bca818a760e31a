"""The rooms of the house keep to their directions: who may use whom."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "python" / "bigsec"
MODULES = {"collect", "probe", "detect", "notify", "respond", "behaviour"}

RUST_MAY_USE = {
    "event": set(),
    "ecs": {"event"},
    "parse": {"event"},
    "detect": {"event"},
    "evidence": {"event"},
    "collect": {"event", "evidence", "parse", "detect"},
    "python": {"event", "ecs", "evidence", "parse", "detect", "collect"},
}

HEAVY = ("pyarrow", "numpy", "duckdb", "sqlalchemy", "alembic", "fastapi", "typer", "rich")


def _rust_manifest(crate: str) -> dict[str, object]:
    return tomllib.loads((ROOT / "rust" / crate / "Cargo.toml").read_text())


@pytest.mark.parametrize("crate", sorted(RUST_MAY_USE))
def test_a_rust_crate_uses_only_the_crates_below_it(crate: str) -> None:
    manifest = _rust_manifest(crate)
    used = set(manifest["dependencies"]) | set(manifest.get("dev-dependencies", {}))
    ours = {name.removeprefix("bigsec-") for name in used if name.startswith("bigsec-")}
    assert ours <= RUST_MAY_USE[crate]


@pytest.mark.parametrize("crate", sorted(set(RUST_MAY_USE) - {"python"}))
def test_python_is_known_to_one_crate_alone(crate: str) -> None:
    used = set(_rust_manifest(crate)["dependencies"])
    assert not used & {"pyo3", "arrow-pyarrow"}


# A socket's number, and memory that has a descriptor: neither is a file.
_NO_FILES = r"(?!::fstat\(&socket\)|::\{MemfdFlags, memfd_create\})"


def test_files_and_time_are_touched_in_two_files_of_evidence_and_none_of_collect() -> None:
    touch = re.compile(
        rf"\b(std::fs|rustix::fs{_NO_FILES}|File::open|OpenOptions|SystemTime|Instant::now)\b"
    )
    doors = {ROOT / "rust/evidence/src" / name for name in ("disk.rs", "clock.rs")}
    for crate in ("collect", "evidence"):
        for path in (ROOT / "rust" / crate / "src").rglob("*.rs"):
            code = path.read_text().split("#[cfg(test)]")[0] if path.name != "tests.rs" else ""
            assert bool(touch.search(code)) == (path in doors), path


def test_unsafe_code_is_in_one_audited_module() -> None:
    audited = ROOT / "rust/evidence/src/hash/two.rs"
    for crate in RUST_MAY_USE:
        lib = ROOT / "rust" / crate / "src" / "lib.rs"
        assert ("#![forbid(unsafe_code)]" in lib.read_text()) == (crate != "evidence"), lib
    for path in (ROOT / "rust").rglob("*.rs"):
        code = [line for line in path.read_text().splitlines() if not line.strip().startswith("//")]
        found = [line for line in code if re.search(r"\bunsafe\b(?!_)", line)]
        assert len(found) == (path == audited), path


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _room(path: Path) -> str:
    parts = path.relative_to(PYTHON).parts
    return parts[0] if len(parts) > 1 else ""


def test_modules_never_import_each_other_and_nobody_imports_the_edges() -> None:
    for path in PYTHON.rglob("*.py"):
        room = _room(path)
        for name in _imports(path):
            assert not name.startswith("bigsec_api"), f"{path} imports {name}"
            parts = name.split(".")
            if parts[0] != "bigsec" or len(parts) < 2:
                continue
            if room in MODULES and parts[1] in MODULES:
                assert parts[1] == room, f"{path} imports {name}"
            if parts[1] == "cli":
                assert room == "cli" or path.name == "__main__.py", f"{path} imports {name}"
            if room == "store":
                assert parts[1] not in MODULES, f"{path} imports {name}"


def _tree(*arguments: str) -> str:
    done = subprocess.run(
        ["cargo", "tree", "--locked", "--workspace", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_there_is_one_pyo3_one_arrow_and_no_ring() -> None:
    packages = set(re.findall(r"^(\S+) v(\d+)", _tree("--prefix=none"), re.MULTILINE))
    assert {major for name, major in packages if name == "pyo3"} == {"0"}
    arrow = {major for name, major in packages if name.startswith("arrow-")}
    assert len(arrow) == 1, arrow
    assert "ring" not in {name for name, _ in packages}


def test_importing_bigsec_imports_nothing_large() -> None:
    import sys

    code = "import sys, bigsec; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    loaded = set(done.stdout.split())
    assert not loaded & set(HEAVY)
