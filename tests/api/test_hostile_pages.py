"""Texts that strangers write into every field of a log neither run nor change: real browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import bigsec
from bigsec.detect import add, correlate
from bigsec.lake import LakeWriter
from bigsec.store import OutputFolder
from bigsec_api.server import Server

PAYLOADS: list[str] = json.loads(
    (Path(__file__).parent / "cases" / "hostile_payloads.json").read_text()
)
FIELDS = (
    "Computer",
    "Image",
    "OriginalFileName",
    "CommandLine",
    "User",
    "ParentImage",
    "ParentCommandLine",
    "CurrentDirectory",
    "Hashes",
    "Company",
    "AnythingElse",
)
SHARING = 4
RULE = """\
title: '<img src=x onerror=alert(1)>{{7*7}} "started" & more'
id: 6d1f0a3c-2b4e-4f6a-8c0d-1e2f3a4b5c6d
status: test
level: high
author: '<script>alert(1)</script>'
license: '"><svg onload=alert(1)>'
logsource: {product: windows, category: process_creation}
detection: {started: {EventID: 1}, condition: started}
"""
WATCH = """\
window.violations = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
"""


def _json_line(place: int) -> str:
    """An event with a payload in every field; a few share a machine, and so an incident."""
    payload = PAYLOADS[place]
    event: dict[str, object] = {"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational"}
    event |= dict.fromkeys(FIELDS, payload) | {f"Key {payload}"[:200]: payload}
    first = place - place % SHARING
    event["Computer"] = " ".join(PAYLOADS[first : first + SHARING])
    return json.dumps(event, ensure_ascii=False)


JSON_LINES = [_json_line(place) for place in range(len(PAYLOADS))]


def _text_line(payload: str) -> str:
    name = re.sub(r"[\r\n]", " ", payload)
    return f"Jan  2 03:04:05 web1 sshd[77]: Invalid user {name} from 203.0.113.9 port 4022"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("hostile")
    rule = folder / "rule.yml"
    rule.write_text(RULE)
    own, starter = bigsec.Rules.load(rule), bigsec.Rules.load()
    with OutputFolder(folder / "store") as output:
        for payload, json_line in zip(PAYLOADS, JSON_LINES, strict=True):
            for line, rules in ((json_line, own), (_text_line(payload), starter)):
                for chunk in bigsec.scan([line], rules, name=payload.replace("\0", "") or "x"):
                    add(output.store, chunk.signals.to_pylist(), chunk.events.to_pylist())
        correlate(output.store)
        output.commit()
    writer = LakeWriter(folder / "lake", "hostile")
    every = [*JSON_LINES, *map(_text_line, PAYLOADS)]
    for batch in bigsec.read(every, keep_raw=True):
        writer.take(batch, writer.position + 1 + len(batch))
    writer.seal()
    server = Server(str(folder / "store"), rules=(str(rule),), lake=str(folder / "lake"))
    threading.Thread(target=server.run, daemon=True).start()
    yield server.address
    server.close()


@pytest.fixture(scope="module")
def incidents(served: str) -> list[dict[str, Any]]:
    """Every incident, whole."""
    found: list[dict[str, Any]] = []
    with httpx.Client(base_url=served, timeout=60) as client:
        for one in client.get("/incidents.json?limit=1000").json()["incidents"]:
            answer = client.get(f"/api/v1/incidents/{one['incident_id']}?evidence=1000")
            found.append(answer.json())
    return found


def test_every_text_comes_out_of_the_json_as_it_went_in(incidents: list[dict[str, Any]]) -> None:
    events = [event for one in incidents for event in one["evidence"]]
    assert set(JSON_LINES) <= {event["raw"] for event in events}
    command_lines = {event["ocsf"].get("process", {}).get("cmd_line") for event in events}
    assert {payload for payload in PAYLOADS if payload.strip()} <= command_lines


@dataclass
class Watched:
    """What a browser did that it should not."""

    faults: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium on PATH (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    arguments = ["--disable-dev-shm-usage"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()


def _watch(page: Any, address: str) -> Watched:
    watched = Watched()

    def dialog(one: Any) -> None:
        watched.faults.append(f"dialog {one.message}")
        one.dismiss()

    def request(one: Any) -> None:
        path = one.url.removeprefix(address)
        if path == one.url or not path.startswith(("/incidents", "/events", "/static/")):
            watched.faults.append(f"request {one.url}")

    def console(one: Any) -> None:
        watched.faults.append(f"console {one.text}")

    page.on("dialog", dialog)
    page.on("request", request)
    page.on("console", console)
    page.on("pageerror", lambda error: watched.faults.append(f"error {error}"))
    page.on("popup", lambda one: watched.faults.append(f"popup {one.url}"))
    page.add_init_script(WATCH)
    return watched


def _look(page: Any, url: str, watched: Watched) -> None:
    page.goto(url, wait_until="load")
    seen = page.evaluate("[window.violations, window.bigsecHit ?? null, document.scripts.length]")
    if seen != [[], None, 1]:
        watched.faults.append(f"{url}: {seen}")


def test_no_page_runs_or_loads_what_a_log_says(
    served: str, incidents: list[dict[str, Any]], browser: Any
) -> None:
    assert len(PAYLOADS) >= 300
    page = browser.new_context(locale="zh-CN").new_page()
    watched = _watch(page, served)
    _look(page, f"{served}/incidents?limit=1000&cols=source&cols=target&cols=weakness", watched)
    shown: set[str] = set()
    for one in incidents:
        _look(page, f"{served}/incidents/{one['number']}?evidence=1000", watched)
        shown.update(page.locator("ol.raw pre").all_text_contents())
    for payload in PAYLOADS[::10]:
        url = httpx.URL(f"{served}/incidents", params={"q": payload, "entity": payload})
        _look(page, str(url), watched)
    _look(page, f"{served}/events?limit=1000", watched)
    lines = set(page.locator("td.c-said pre").all_text_contents())
    for payload in PAYLOADS[::20]:
        quoted = payload.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "")
        _look(page, str(httpx.URL(f"{served}/events", params={"q": f'"{quoted}"'})), watched)
    page.context.close()
    assert watched.faults == []
    assert len(lines) > 200
    printable = {line for line in JSON_LINES if line.isprintable()}
    assert len(printable) > 200
    assert printable <= shown


def test_the_filter_works_with_and_without_scripts(served: str, browser: Any) -> None:
    for scripts in (True, False):
        context = browser.new_context(locale="en-GB", java_script_enabled=scripts)
        page = context.new_page()
        page.goto(f"{served}/incidents")
        page.select_option("select[name=level]", "critical")
        if not scripts:
            page.click("form.filter button.main")
        page.wait_for_selector("#list .empty")
        if scripts:
            assert (
                page.evaluate("location.pathname + location.search") == "/incidents?level=critical"
            )
        else:
            assert "level=critical" in page.url
        page.go_back()
        page.wait_for_selector("#list table.incidents")
        page.click("form.segments button[value=dark]")
        page.wait_for_selector("html[data-theme=dark]")
        context.close()


def test_a_keyboard_alone_reaches_an_incident(served: str, browser: Any) -> None:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{served}/incidents")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('td.c-incident')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("article.incident")
    context.close()
