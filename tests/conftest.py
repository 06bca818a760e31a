"""What all tests share: the real cases beside the repo, and what a skip means in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# Shared machines stall: a slow example is no failure, and the same commit tries the same examples.
settings.register_profile(
    "bigsec", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("bigsec")

REQUIRE_ALL = os.environ.get("BIGSEC_REQUIRE_ALL") == "1"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real cases; skips where it is absent."""
    folder = Path(os.environ.get("BIGSEC_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real cases at {folder} (set BIGSEC_SHARED_DATA)")
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where two workers share the tests: files stay whole, for their fixtures, and the daemons of
    `collect` have one worker to themselves, for they measure each other otherwise."""
    for item in items:
        path = item.path.relative_to(ROOT / "tests")
        group = path.parts[0] if path.parts[0] == "collect" else str(path)
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything is required, a skip is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    if REQUIRE_ALL and skipped and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"BIGSEC_REQUIRE_ALL=1 and {len(skipped)} skipped", red=True)
