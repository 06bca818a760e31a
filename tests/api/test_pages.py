"""Pages work without a script, keep their state in the URL, and speak both languages wholly."""

from __future__ import annotations

import hashlib
import html
import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from bigsec_api.views.frame import static
from bigsec_api.views.words import PSEUDO, catalogue

HTMX_SHA256 = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
VOID = {"meta", "link", "input", "img", "br", "hr"}
SPOKEN = {"title", "alt", "placeholder", "aria-label"}
LETTERS = re.compile(r"[^\W\d_]")
BRACKETED = re.compile("⟦[^⟦⟧]*⟧")


class Crawl(HTMLParser):
    """Collects links, and every text that a reader sees and that is not marked as data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.inline: list[str] = []
        self._data: list[bool] = [False]
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_data = self._data[-1] or given.get("translate") == "no"
        if tag not in VOID:
            self._data.append(is_data)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if tag == "script":
            self.scripts.append(given.get("src") or "")
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        if tag != "time":  # whose title is a time
            self.texts += [value or "" for name, value in attrs if name in SPOKEN]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._data.pop()

    def handle_data(self, data: str) -> None:
        if not self._data[-1]:
            self.texts.append(data)

    @property
    def untranslated(self) -> list[str]:
        return [one for one in self.texts if LETTERS.search(_outside(one))]


def _outside(text: str) -> str:
    """What stands in no brackets; a text may be a part of another."""
    rest = BRACKETED.sub("", text)
    return rest if rest == text else _outside(rest)


STARTS = (
    "/events",
    "/events?q=src_ip:203.0.113.0/24&limit=1",
    "/events?q=usr_name:x",
    "/events?from=never",
    "/events?q=nothing-has-this",
    "/incidents",
    "/incidents/2026-000001",
    "/incidents?from=never",
    "/incidents?q=nothing-has-this",
    "/incidents?limit=1&cols=level&cols=weakness&cols=confidence",
    "/incidents?colour=red",
    "/incidents/2026-1?evidence=1",
    "/login",
    "/login?code=x",
    "/nope",
)


def _crawl(client: TestClient, language: str) -> Iterator[tuple[str, Crawl]]:
    """Every kind of page, and where its links lead."""
    seen: set[str] = set()
    pending = [(path, True) for path in STARTS]
    for path, follow in pending:
        if path in seen or not path.startswith("/") or path.startswith(("/api/", "/static/")):
            continue
        seen.add(path)
        answer = client.get(path, headers={"accept-language": language})
        assert answer.status_code < 500, path
        if answer.headers["content-type"].startswith("text/html"):
            page = Crawl(answer.text)
            yield path, page
            if follow:
                pending += [(link.partition("#")[0], False) for link in page.links]


def _places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_both_languages_have_the_same_keys_and_places() -> None:
    english, chinese = catalogue("en"), catalogue("zh_CN")
    assert english.keys() == chinese.keys()
    for key, template in english.items():
        assert _places(template) == _places(chinese[key]), key
    same = {"site.name", "site.version", "list.to_hint"}
    for key, told in chinese.items():
        assert key in same or re.search("[\u3000-\u9fff\uff00-\uffef]", told), f"{key}: {told}"


def test_no_page_has_a_text_that_no_catalogue_has(client: TestClient) -> None:
    client.cookies.set("bigsec_lang", PSEUDO)
    try:
        pages = list(_crawl(client, "en"))
    finally:
        client.cookies.clear()
    assert len(pages) > 15
    for path, page in pages:
        assert page.untranslated == [], path


def test_no_page_has_a_script_or_style_of_its_own(client: TestClient) -> None:
    for path, page in _crawl(client, "zh-CN"):
        assert page.inline == [], path
        assert all(one.startswith("/static/htmx-4.0.1.min.js?v=") for one in page.scripts), path


@pytest.mark.parametrize(
    ("accepted", "path", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "/incidents", "zh-CN"),
        ("zh-TW", "/incidents", "zh-CN"),
        ("en-GB,zh;q=0.5", "/incidents", "en"),
        ("de,zh;q=0.5", "/incidents", "zh-CN"),
        ("", "/incidents", "en"),
        ("en", "/incidents?lang=zh-CN", "zh-CN"),
        ("zh", "/incidents?lang=en", "en"),
    ],
)
def test_the_language_is_chosen(
    client: TestClient, accepted: str, path: str, language: str
) -> None:
    answer = client.get(path, headers={"accept-language": accepted})
    client.cookies.clear()
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}"' in answer.text


def test_the_choices_of_a_reader_last(client: TestClient) -> None:
    same = {"sec-fetch-site": "same-origin"}
    for form in ({"theme": "dark"}, {"lang": "zh-CN"}, {"tz": "Asia/Shanghai"}, {"tz": "<x>"}):
        client.post("/preferences", data=form, headers=same)
    page = client.get("/incidents").text
    client.cookies.clear()
    assert 'data-theme="dark"' in page
    assert '<html lang="zh-CN"' in page
    assert "2026-01-02 11:04:09" in page
    assert "+08:00" in page


def test_paging_by_links_walks_through_all(client: TestClient) -> None:
    total = client.get("/incidents.json").json()["total"]
    path, seen = "/incidents?limit=1&sort=time", []
    while path:
        html = client.get(path).text
        seen += re.findall(r'<tr id="i-([0-9a-f]{32})"', html)
        found = re.search(r'rel="next" href="([^"]+)"', html)
        path = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == len(set(seen)) == total > 2


def test_the_twin_of_a_list_has_what_the_page_has(client: TestClient) -> None:
    for query in ("?level=high", "?entity=203.0.113.9", "?q=root&sort=time", "?from=-1h"):
        ids = re.findall(r'<tr id="i-([0-9a-f]{32})"', client.get(f"/incidents{query}").text)
        twin = client.get(f"/incidents.json{query}").json()["incidents"]
        assert ids == [one["incident_id"] for one in twin], query


def test_the_page_of_an_incident_answers_the_four_questions(client: TestClient) -> None:
    whole = client.get("/incidents/2026-000001.json").json()
    assert whole == client.get("/api/v1/incidents/2026-000001").json()
    page = client.get("/incidents/2026-000001").text
    for name in ("source", "method", "target", "weakness"):
        for value in whole[name]["values"] or [whole[name]["why"]]:
            assert value in page
    assert whole["signals"][0]["rule_author"] in page
    assert whole["signals"][0]["rule_license"] in page


@pytest.mark.parametrize(
    ("query", "status"), [("?from=never", 422), ("?level=worst", 422), ("?colour=red", 422)]
)
def test_a_wrong_filter_is_said_on_a_page(client: TestClient, query: str, status: int) -> None:
    answer = client.get(f"/incidents{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")


def test_the_vendored_script_is_the_published_one_with_its_licence() -> None:
    files = static()
    assert hashlib.sha256(files["htmx-4.0.1.min.js"]).hexdigest() == HTMX_SHA256
    assert b"Permission to use, copy, modify" in files["htmx-4.0.1.LICENSE.txt"]


def test_the_search_page_shows_events_bars_and_ways_on(client: TestClient) -> None:
    page = client.get("/events", params={"q": "src_ip:203.0.113.0/24"}).text
    assert page.count("<tr>") == 1 + 2
    assert "2 events" in page
    assert "<rect " in page
    around = re.search(r'href="(/events\?q=[^"]*web1[^"]*)"', page)
    assert around is not None
    near = client.get(html.unescape(around[1])).text
    assert "sudo" in near
    assert "db2" not in near
    more = client.get("/events", params={"limit": 2}).text
    assert 'href="/events?limit=8"' in more


def test_a_filter_that_is_none_is_said_on_the_page(client: TestClient) -> None:
    wrong = client.get("/events", params={"q": "usr_name:<script>alert(1)</script>"})
    assert wrong.status_code == 422
    assert "<script>alert" not in wrong.text
    assert "column" in wrong.text
