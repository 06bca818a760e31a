"""Who may read, from where, with what; and what is refused before any service is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bigsec.errors import BigsecError
from bigsec.store import create_token, open_store, revoke_token
from bigsec.store.tokens import list_tokens
from bigsec_api.app import create_app
from bigsec_api.server import Server
from bigsec_api.settings import Settings

Connect = Callable[[Settings], TestClient]

SAME_SITE = {"sec-fetch-site": "same-origin"}
DAY = timedelta(days=1)
API_PATHS = sorted(create_app(Path()).openapi()["paths"])
PAGE_PATHS = ["/events", "/incidents", "/incidents.json", "/incidents/x", "/incidents/x.json"]


@pytest.mark.parametrize("path", API_PATHS + PAGE_PATHS)
def test_nothing_of_the_store_is_told_without_a_token_once_there_is_one(
    own_store: Path, connect: Connect, path: str
) -> None:
    create_token(own_store, "siem", lifetime=DAY)
    with connect(Settings(store=own_store)) as client:
        answer = client.get(path, follow_redirects=False)
    if path in ("/events", "/incidents", "/incidents/x"):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(f"/login?next=%2F{path.split('/')[1]}")
        assert answer.text == ""
    else:
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "BS4101"


def test_a_token_opens_until_it_is_revoked(own_store: Path, connect: Connect) -> None:
    made = create_token(own_store, "siem", lifetime=DAY)
    header = {"authorization": f"Bearer {made.secret}"}
    with connect(Settings(store=own_store)) as client:
        assert client.get("/api/v1/incidents", headers=header).status_code == 200
        last = "B" if made.secret.endswith("A") else "A"
        wrong = {"authorization": f"Bearer {made.secret[:-1]}{last}"}
        assert client.get("/api/v1/incidents", headers=wrong).status_code == 401
        revoke_token(own_store, "siem")
        assert client.get("/api/v1/incidents", headers=header).status_code == 401
        # The door stays shut for those without one.
        assert client.get("/api/v1/incidents").status_code == 401


def test_a_token_ends_with_its_time(own_store: Path, connect: Connect) -> None:
    made = create_token(
        own_store, "old", lifetime=DAY, now=lambda: datetime.now(UTC) - timedelta(days=2)
    )
    with connect(Settings(store=own_store)) as client:
        header = {"authorization": f"Bearer {made.secret}"}
        assert client.get("/api/v1/health", headers=header).status_code == 401


def test_the_secret_of_a_token_is_not_in_the_store(own_store: Path) -> None:
    made = create_token(own_store, "siem", lifetime=DAY)
    for file in own_store.iterdir():
        assert made.secret.encode() not in file.read_bytes()
    with open_store(own_store) as store:
        assert list_tokens(store) == (made.token,)


def test_a_log_in_by_token_ends_with_the_token(own_store: Path, connect: Connect) -> None:
    made = create_token(own_store, "duty", lifetime=DAY)
    with connect(Settings(store=own_store)) as client:
        form = {"token": made.secret, "next": "/incidents?level=high"}
        answer = client.post("/login", data=form, headers=SAME_SITE, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/incidents?level=high"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert client.get("/incidents").status_code == 200
        revoke_token(own_store, made.token.token_id)
        assert client.get("/incidents", follow_redirects=False).status_code == 303


def test_a_link_logs_in_once_and_a_log_out_ends_it(own_store: Path, connect: Connect) -> None:
    create_token(own_store, "duty", lifetime=DAY)
    with connect(Settings(store=own_store)) as client:
        code = client.app.state.sessions.new_link()  # type: ignore[attr-defined]
        assert client.get(f"/login?code={code}").status_code == 200  # a look ahead spends nothing
        assert client.post("/login", data={"code": code}, headers=SAME_SITE).status_code == 200
        session = dict(client.cookies)
        assert client.get("/incidents.json").status_code == 200
        client.post("/logout", headers=SAME_SITE)
        client.cookies.update(session)
        assert client.get("/incidents.json").status_code == 401
        assert client.post("/login", data={"code": code}, headers=SAME_SITE).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "evil.example:8000"},
        {"x-forwarded-for": "203.0.113.1"},
        {"forwarded": "for=203.0.113.1"},
    ],
)
def test_without_a_token_no_foreign_name_and_no_proxy_leads_in(
    client: TestClient, headers: dict[str, str]
) -> None:
    answer = client.get("/api/v1/incidents", headers=headers)
    assert answer.status_code == 421
    assert answer.json()["code"] == "BS4105"


def test_without_a_token_another_machine_may_not_read(store: Path) -> None:
    app = create_app(Settings(store=store))
    with TestClient(app, base_url="http://127.0.0.1", client=("203.0.113.9", 5)) as client:
        assert client.get("/api/v1/incidents").status_code == 401


def test_other_addresses_are_served_only_where_a_token_holds(own_store: Path) -> None:
    with pytest.raises(BigsecError) as caught:
        Server(str(own_store), host="0.0.0.0")  # noqa: S104  # It must refuse.
    assert caught.value.code == "BS4101"
    create_token(own_store, "siem", lifetime=DAY)
    Server(str(own_store), host="0.0.0.0").close()  # noqa: S104


def test_a_port_that_is_taken_is_said_so(store: Path) -> None:
    first = Server(str(store))
    with pytest.raises(BigsecError) as caught:
        Server(str(store), port=int(first.address.rpartition(":")[2]))
    first.close()
    assert caught.value.code == "BS4109"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "none"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://127.0.0.1:8000"}, 303),
        ({"origin": "https://127.0.0.1:8000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_what_changes_something_must_come_from_our_own_pages(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = client.post(
        "/preferences", data={"theme": "dark"}, headers=headers, follow_redirects=False
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("/incidents?level=high", "/incidents?level=high"),
        ("//evil.example", "/incidents"),
        ("/\\evil.example", "/incidents"),
        ("https://evil.example/", "/incidents"),
        ("/a\r\nSet-Cookie: x=1", "/incidents"),
        ("", "/incidents"),
    ],
)
def test_one_is_sent_on_to_this_server_alone(client: TestClient, given: str, taken: str) -> None:
    form = {"theme": "dark", "next": given}
    answer = client.post("/preferences", data=form, headers=SAME_SITE, follow_redirects=False)
    assert answer.headers["location"] == taken


def test_a_request_has_bounds(client: TestClient) -> None:
    assert client.get("/incidents?q=" + "a" * 9_000).status_code == 414
    assert client.get("/api/v1/incidents?" + "&".join(["text=a"] * 100)).status_code == 414
    assert client.request("GET", "/api/v1/incidents", content=b"x").status_code == 413
    big = client.post("/preferences", content=b"x" * 20_000, headers=SAME_SITE)
    assert big.status_code == 413


def test_a_query_that_takes_too_long_is_stopped(own_store: Path, connect: Connect) -> None:
    with connect(Settings(store=own_store, read_seconds_max=-1.0)) as client:
        # Small queries end before SQLite first looks at the clock; this one does not.
        with open_store(own_store) as store, store.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO event SELECT printf('%032x', value), 0, value, 's', 'p', 'x', '{}' "
                "FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
                "WHERE value < 20000) SELECT value FROM n)"
            )
        answer = client.get("/api/v1/events?text=nowhere")
    assert answer.status_code == 503
    assert answer.json()["code"] == "BS4104"


@pytest.mark.parametrize("path", ["/incidents", "/nope", "/api/v1/health", "/static/bigsec.css"])
def test_every_answer_has_the_strict_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert len(headers["x-request-id"]) == 16


def test_a_defect_is_answered_like_everything_else(
    own_store: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr("bigsec_api.routes.health.summary", broken)
    with connect(Settings(store=own_store)) as client:
        answer = client.get("/api/v1/health")
    assert answer.status_code == 500
    assert answer.json()["code"] == "BS4108"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers
