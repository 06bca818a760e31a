"""The document is the committed one, and no answer is other than it says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from bigsec_api.openapi import document
from bigsec_api.server import Server

COMMITTED = Path(__file__).resolve().parents[2] / "api" / "openapi.json"
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)

schema = schemathesis.openapi.from_dict(json.loads(COMMITTED.read_text()))


def test_the_committed_document_is_what_the_code_says() -> None:
    assert document() == COMMITTED.read_text(), (
        "write it anew: .venv/bin/python -m bigsec_api.openapi > api/openapi.json"
    )


def test_every_good_answer_has_an_example() -> None:
    whole = json.loads(COMMITTED.read_text())
    assert whole["openapi"].startswith("3.1")
    for path, methods in whole["paths"].items():
        for answer in methods["get"]["responses"].values():
            for content in answer["content"].values():
                assert "example" in content, path


def test_the_document_is_served(client: TestClient) -> None:
    assert client.get("/api/openapi.json").json() == json.loads(COMMITTED.read_text())


@pytest.fixture(scope="module")
def served(store: Path, lake: Path) -> Iterator[str]:
    server = Server(str(store), lake=str(lake))
    threading.Thread(target=server.run, daemon=True).start()
    yield server.address
    server.close()


@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_no_defect_and_no_undocumented_answer(case: schemathesis.Case, served: str) -> None:
    checks: list[Callable[..., object]] = CHECKS.get_by_names(list(WANTED))
    case.call_and_validate(base_url=served, checks=checks)
