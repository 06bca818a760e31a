"""The API answers from a store that a scan wrote, and errors have one body."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bigsec_api.settings import Settings


def test_the_list_leads_to_the_incident_with_its_raw_lines(
    client: TestClient, lines: list[str]
) -> None:
    page = client.get("/api/v1/incidents").json()
    assert page["total"] == len(page["incidents"]) > 0
    raw = set()
    for incident in page["incidents"]:
        whole = client.get(f"/api/v1/incidents/{incident['number']}").json()
        assert whole["incident_id"] == incident["incident_id"]
        raw.update(event["raw"] for event in whole["evidence"])
    assert set(lines[1:]) <= raw


def test_paging_walks_through_all(client: TestClient) -> None:
    total = client.get("/api/v1/incidents").json()["total"]
    seen: list[str] = []
    after = None
    while True:
        page = client.get(
            "/api/v1/incidents", params={"limit": 1, "after": after} if after else {"limit": 1}
        )
        seen += [incident["incident_id"] for incident in page.json()["incidents"]]
        after = page.json()["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == total


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/incidents/2001-000001", 404, "BS3106"),
        ("/api/v1/incidents?limit=0", 422, "BS4001"),
        ("/api/v1/incidents?level=worst", 422, "BS4001"),
        ("/api/v1/incidents?after=nonsense", 400, "BS4001"),
    ],
)
def test_every_error_has_the_one_body(
    client: TestClient, path: str, status: int, code: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code


def test_a_store_that_is_missing_is_said_so(
    tmp_path: Path, connect: Callable[[Settings], TestClient]
) -> None:
    with connect(Settings(store=tmp_path / "none")) as client:
        answer = client.get("/api/v1/health")
    assert answer.status_code == 503
    assert answer.json()["code"] == "BS3104"
    assert str(tmp_path) not in answer.text


def test_health_tells_the_numbers(client: TestClient) -> None:
    body = client.get("/api/v1/health").json()
    assert body["status"] == "ok"
    assert body["store"]["incidents"] > 0
