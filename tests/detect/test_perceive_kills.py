"""Killed again and again, `bigsec perceive --state` ends with the same incidents."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

SEED = 20_261_201
ALERTS = 120_000
KILLS = 6
COMMAND = (sys.executable, "-m", "bigsec", "perceive", "--all", "--quiet", "--format", "ndjson")
NOISE = ("Wazuh: Web server 400 error code.", "Wazuh: sshd: authentication failed.")
NEWS = (
    "Suricata: Alert - ET SCAN Possible Nmap User-Agent Observed",
    "Wazuh: Common web attack.",
    "Wazuh: User successfully changed UID.",
    "Wazuh: First time user executed sudo.",
)


def _alerts(path: Path) -> Path:
    """Twelve days of noise on many hosts, and news now and then."""
    rng = random.Random(SEED)  # noqa: S311  # the same alerts each time
    rows = ["time,name,host"]
    for number in range(ALERTS):
        name = rng.choice(NEWS) if rng.random() < 0.002 else rng.choice(NOISE)
        rows.append(f"{number * 8.64:.2f},{name},host{rng.randrange(300)}")
    path.write_text("\n".join(rows))
    return path


def _run(alerts: Path, *more: str) -> list[dict[str, object]]:
    done = subprocess.run([*COMMAND, str(alerts), *more], capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_kills_in_its_middle_change_nothing(tmp_path: Path) -> None:
    alerts, state = _alerts(tmp_path / "alerts.csv"), tmp_path / "kept"
    whole = _run(alerts)
    assert len(whole) > 100
    rng = random.Random(SEED)  # noqa: S311
    lasts, interrupted = [], 0
    for _ in range(KILLS):
        with subprocess.Popen(
            [*COMMAND, str(alerts), "--state", str(state)], stdout=subprocess.DEVNULL
        ) as process:
            before = state.stat().st_mtime_ns if state.exists() else 0
            # Until it has kept something, and then a little.
            while process.poll() is None and (
                not state.exists() or state.stat().st_mtime_ns == before
            ):
                pass
            try:
                process.wait(rng.random() * 0.05)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            interrupted += process.wait() == -signal.SIGKILL
        lasts.append(json.loads(state.read_bytes())["last"][0])
    assert lasts == sorted(lasts)
    assert interrupted >= 2, "it was killed in its middle"
    assert _run(alerts, "--state", str(state)) == whole
