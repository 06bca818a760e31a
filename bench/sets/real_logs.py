"""A real access log, line by line against another reader; and status reports of nginx plus as JSON.

Apache: every field that the other reader (PyPI apachelogs) gives must stand in its column, and what
it leaves out must be null there. Lines that it could not read are told apart: nothing is expected
of them but that they are not lost. nginx plus: every leaf of every object must be in its event.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

import bigsec
from corpus import lines, named, rows
from fields import Event, events
from lossless import compare
from scorer import share
from sets import Case, Figure, Inputs, Line, Void

# How the other reader's fields are read from an event.
READ: dict[str, Callable[[Event], object]] = {
    "remote_host": lambda event: event.first("src_endpoint.ip", "src_endpoint.hostname"),
    "ident": lambda event: event.text("ident"),
    "user": lambda event: event.first("user.name", "actor.user.name"),
    "time": lambda event: event.first("time"),
    "request": lambda event: _request(event),
    "status": lambda event: event.first("http_response.code"),
    "bytes": lambda event: event.first("http_response.length"),
    "referer": lambda event: event.first("http_request.referrer"),
    "agent": lambda event: event.first("http_request.user_agent"),
}


def score(inputs: Inputs) -> Iterator[Case]:
    """Two cases: the access log, and the status reports where the set has them."""
    yield _access_log(inputs)
    try:
        reports = named(inputs.data, "nginxplus.ndjson")
    except FileNotFoundError:
        return
    yield Case("nginx plus", tuple(compare(lines(reports), "nginxplus.ndjson")))


def _access_log(inputs: Inputs) -> Case:
    expected = list(rows(named(inputs.data, "apache_access.jsonl")))
    read = bigsec.read([row["line"] for row in expected], name="access.log")
    found = list(events(read))
    if len(found) != len(expected):
        raise Void(f"{len(expected)} lines gave {len(found)} events")
    exact = readable = 0
    wrong: Counter[str] = Counter()
    examples: dict[str, str] = {}
    unread: list[Line] = []
    for row, event in zip(expected, found, strict=True):
        if row["expected"] is None:
            unread.append(_unread(row, event))
            continue
        readable += 1
        differing = [name for name in READ if not _same(name, row["expected"], event)]
        exact += not differing
        for name in differing:
            wrong[name] += 1
            examples.setdefault(name, f"{row['expected'][name]!r} became {READ[name](event)!r}")
    result = [share("lines exact", exact, readable), *unread]
    for name, count in wrong.most_common():
        text = f"wrong {count} x {name}: {examples[name]}"
        result.append(Line(text, {"what": f"wrong {name}", "got": count}))
    return Case("apache", tuple(result))


def _unread(row: dict[str, object], event: Event) -> Line:
    """A line that the other reader could not read: what became of it here."""
    figures: dict[str, Figure] = {"what": f"unread by the oracle: {row['id']}", "got": 1}
    return Line(
        f"unread by the oracle: {row['id']}, here by {event.parser}: {row['line']}", figures
    )


def _same(name: str, expected: dict[str, object], event: Event) -> bool:
    wanted, got = expected[name], READ[name](event)
    if name == "time":
        return isinstance(got, str) and _instant(got) == _instant(str(wanted))
    return got == wanted


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _request(event: Event) -> str | None:
    """The request line, put together again from its three columns."""
    parts = [event.first(f"http_request.{name}") for name in ("http_method", "url.text", "version")]
    return " ".join(str(part) for part in parts if part is not None) or None
