"""Runs senders that others wrote: rsyslog, syslog-ng, loggen, logger. See scripts/senders.sh."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CONFIGS = Path(__file__).resolve().parents[1] / "senders" / "configs"
Running = AbstractContextManager[subprocess.Popen[bytes]]
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/syslog-ng")


def unpacked() -> Path:
    """The folder that `scripts/senders.sh` filled; skips where it has not run."""
    folder = Path(os.environ.get("BIGSEC_SENDERS", ROOT / "target" / "senders"))
    if not (folder / "ready").is_file():
        pytest.skip(f"no senders in {folder}: run scripts/senders.sh")
    return folder


def configuration(name: str, folder: Path, values: Mapping[str, object]) -> Path:
    """A configuration of `configs/` with its `@NAME@` filled in."""
    text = (CONFIGS / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = folder / name
    path.write_text(text)
    return path


@contextmanager
def rsyslog(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """rsyslogd in the foreground with this configuration."""
    base = unpacked() / "rsyslog"
    modules = base / "usr/lib/x86_64-linux-gnu/rsyslog"
    pid_file = config.with_suffix(".pid")
    command = [str(base / "usr/sbin/rsyslogd"), "-n", "-f", str(config), "-i", str(pid_file)]
    with _running([*command, "-M", str(modules)], base, config) as process:
        yield process


@contextmanager
def syslog_ng(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    """syslog-ng in the foreground with this configuration."""
    base = unpacked() / "syslog-ng"
    command = [str(base / "usr/sbin/syslog-ng"), "--foreground", "--no-caps", "-f", str(config)]
    for option, suffix in (("-R", ".persist"), ("-p", ".pid"), ("-c", ".ctl")):
        command += [option, str(config.with_suffix(suffix))]
    modules = base / "usr/lib/syslog-ng/3.38"
    with _running([*command, f"--module-path={modules}"], base, config) as process:
        yield process


def loggen(*arguments: str) -> None:
    """loggen; it finds its plugins at their built-in path only, so it gets a view of its own."""
    base = unpacked() / "syslog-ng"
    lower = f"lowerdir={base / 'usr/lib'}:/usr/lib"
    script = f'mount -t overlay overlay -o "{lower}" /usr/lib && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(base / "usr/bin/loggen")]
    subprocess.run([*command, *arguments], check=True, timeout=120, capture_output=True)


def logger(*arguments: str) -> None:
    """logger of util-linux."""
    program = shutil.which("logger")
    if program is None:
        pytest.skip("no logger (util-linux)")
    subprocess.run([program, *arguments], check=True, timeout=120, capture_output=True)


@contextmanager
def _running(command: Sequence[str], base: Path, config: Path) -> Iterator[subprocess.Popen[bytes]]:
    libraries = ":".join(str(base / one) for one in _LIBRARIES)
    with config.with_suffix(".out").open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "LD_LIBRARY_PATH": libraries},
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
