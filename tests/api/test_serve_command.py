"""`bigsec serve` and `bigsec token`, as a person runs them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

BIGSEC = [sys.executable, "-m", "bigsec"]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*BIGSEC, *arguments], capture_output=True, text=True, timeout=60)


def test_a_token_is_made_shown_once_and_revoked(own_store: Path) -> None:
    place = ["--store", str(own_store)]
    made = _run("token", "create", "siem", "--expires", "30d", *place)
    assert made.returncode == 0
    secret = made.stdout.strip()
    assert secret.startswith("bsk_")
    listed = json.loads(_run("token", "list", "--json", *place).stdout)
    assert listed["name"] == "siem"
    assert secret not in json.dumps(listed)
    assert _run("token", "revoke", "siem", *place).returncode == 0
    assert json.loads(_run("token", "list", "--json", *place).stdout)["revoked"] is not None


@pytest.mark.parametrize("expires", ["0d", "90", "1y", "-1d", "99999w"])
def test_a_wrong_lifetime_is_a_usage_fault(own_store: Path, expires: str) -> None:
    done = _run("token", "create", "siem", f"--expires={expires}", "--store", str(own_store))
    assert done.returncode == 2
    assert "BS4001" in done.stderr


def test_other_machines_are_refused_without_a_token(own_store: Path) -> None:
    done = _run("serve", "--host", "0.0.0.0", "--port", "0", "--store", str(own_store))  # noqa: S104
    assert done.returncode == 3
    assert "BS4101" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_the_address_is_printed_and_answers_and_ctrl_c_ends_it(own_store: Path) -> None:
    command = [*BIGSEC, "serve", "--port", "0", "--store", str(own_store)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            page = httpx.get(address, follow_redirects=True, timeout=30)
            assert page.status_code == 200
            assert "server" not in page.headers
            assert httpx.get(f"{address}api/v1/health", timeout=30).json()["status"] == "ok"
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
