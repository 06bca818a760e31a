"""Searches through every event over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bigsec.store import create_token
from bigsec_api.settings import Settings

Connect = Callable[[Settings], TestClient]


@pytest.fixture(scope="module")
def searched(store: Path, lake: Path, connect: Connect) -> TestClient:
    return connect(Settings(store=store, lake=lake))


def test_a_search_gives_events_latest_first(searched: TestClient) -> None:
    found = searched.get("/api/v1/events/search", params={"filter": "src_ip:203.0.113.0/24"})
    assert found.status_code == 200
    events = found.json()["events"]
    assert [one["src_ip"] for one in events] == ["203.0.113.9"] * 2
    times = [one["time_effective"] for one in events]
    assert times == sorted(times, reverse=True)
    few = searched.get("/api/v1/events/search", params={"limit": 3}).json()["events"]
    assert len(few) == 3
    span = {"since": "2026-01-02T03:05:00", "until": "2026-01-02T03:10:00Z"}
    in_span = searched.get("/api/v1/events/search", params=span).json()["events"]
    assert all("2026-01-02T03:05" <= one["time_effective"] < "2026-01-02T03:10" for one in in_span)


def test_counts_over_time_and_of_values(searched: TestClient) -> None:
    hours = searched.get("/api/v1/events/histogram", params={"seconds": 3_600}).json()
    assert sum(one["count"] for one in hours["buckets"]) == 5
    top = searched.get("/api/v1/events/top", params={"column": "src_ip"}).json()
    assert {"value": None, "count": 2} in top["values"]
    assert {"value": "203.0.113.9", "count": 2} in top["values"]


def test_faults_of_a_filter_have_column_and_mend(searched: TestClient) -> None:
    wrong = searched.get("/api/v1/events/search", params={"filter": "usr_name:root"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "BS3201")
    assert "column 1" in wrong.json()["detail"]
    assert "user_name" in wrong.json()["mend"]
    pattern = searched.get("/api/v1/events/search", params={"filter": "message:/(/"})
    assert (pattern.status_code, pattern.json()["code"]) == (400, "BS3201")
    column = searched.get("/api/v1/events/top", params={"column": "unmapped"})
    assert (column.status_code, column.json()["code"]) == (400, "BS3201")


def test_without_a_lake_there_is_no_search(store: Path, tmp_path: Path, connect: Connect) -> None:
    none = connect(Settings(store=store)).get("/api/v1/events/search")
    assert (none.status_code, none.json()["code"]) == (404, "BS3205")
    gone = connect(Settings(store=store, lake=tmp_path)).get("/api/v1/events/search")
    assert (gone.status_code, gone.json()["code"]) == (503, "BS3205")
    assert str(tmp_path) not in gone.text


def test_t11_a_search_needs_what_a_list_needs(
    own_store: Path, lake: Path, connect: Connect
) -> None:
    made = create_token(own_store, "siem", lifetime=timedelta(days=1))
    client = connect(Settings(store=own_store, lake=lake))
    assert client.get("/api/v1/events/search").status_code == 401
    header = {"Authorization": f"Bearer {made.secret}"}
    assert client.get("/api/v1/events/search", headers=header).status_code == 200
