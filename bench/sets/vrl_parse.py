r"""Vector's documented examples: what our decoders make of the texts that its functions read.

Of the functions those count that read a log's format (`parse_cef`, `parse_key_value` and so on),
and only where the example gives no options that a record cannot tell. Every leaf of the result
must be a whole value of the event; `null` and truth values are not compared, times are compared as
times. Where the function refuses the text, no pack may claim it. Community ids must be exact.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import bigsec
from corpus import rows
from fields import Event, events
from scorer import share
from sets import Case, Inputs, Line, Void

# Functions that read a log's format, and the pack or decoder that is told to read it, if any.
FORMATS: dict[str, str | None] = {
    "parse_apache_log": None,
    "parse_aws_alb_log": None,
    "parse_aws_cloudwatch_log_subscription_message": "json",
    "parse_aws_vpc_flow_log": None,
    "parse_cef": "cef",
    "parse_common_log": "apache_access",
    "parse_csv": "csv",
    "parse_glog": None,
    "parse_json": "json",
    "parse_key_value": "key_value",
    "parse_klog": None,
    "parse_linux_authorization": None,
    "parse_logfmt": "key_value",
    "parse_nginx_log": None,
    "parse_syslog": None,
    "parse_xml": "xml",
}
# The text in VRL's quoting: escaped, or raw between s'…'.
TEXT = re.compile(
    r"""\(\s*(?:s'(?P<raw>(?:[^'\\]|\\.)*)'|"(?P<text>(?:[^"\\]|\\.)*)")""", re.DOTALL
)
ARGUMENT = re.compile(r'(?P<name>\w+): (?:"(?P<text>[^"]*)"|(?P<number>\d+))')
RAW_ESCAPE = re.compile(r"\\(['\"])")
COMMUNITY_ID = "community_id"


def score(inputs: Inputs) -> Iterator[Case]:
    """A line for each example that is not read whole, then the sums by function."""
    sums: dict[str, Counter[str]] = {}
    missed: list[Line] = []
    left_out: Counter[str] = Counter()
    for row in rows(inputs.data / "cases.jsonl"):
        function = row["function"]
        if function != COMMUNITY_ID and function not in FORMATS:
            left_out[function] += 1
            continue
        counts = sums.setdefault(function, Counter())
        got, of, lacks = _community_id(row) if function == COMMUNITY_ID else _parsed(row)
        counts.update(cases=1, whole=got == of, got=got, of=of)
        if lacks:
            missed.append(Line(f"{row['id']} lacks {', '.join(lacks)}"))
    if not any(counts["got"] for counts in sums.values()):
        raise Void(f"nothing of {inputs.data} was read")
    by_function = (
        share(f"{name}: values", counts["got"], counts["of"])
        for name, counts in sorted(sums.items())
    )
    total = sum(sums.values(), Counter[str]())
    yield Case(
        "examples",
        (
            *by_function,
            *missed,
            share("all: values", total["got"], total["of"]),
            share("all: examples read whole", total["whole"], total["cases"]),
            Line(f"no formats of logs: {_listed(left_out)}"),
        ),
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _community_id(row: dict[str, Any]) -> tuple[int, int, list[str]]:
    given = {one["name"]: one["text"] or one["number"] for one in ARGUMENT.finditer(row["call"])}
    numbers = {
        name: int(given[name]) for name in ("source_port", "destination_port") if name in given
    }
    made = bigsec.community_id(
        given["source_ip"],
        given["destination_ip"],
        int(given["protocol"]),
        **numbers,
        seed=int(given.get("seed") or 0),
    )
    return int(made == row["result"]), 1, [] if made == row["result"] else [row["result"]]


def _parsed(row: dict[str, Any]) -> tuple[int, int, list[str]]:
    found = TEXT.search(row["call"])
    if not found:
        return 0, 1, ["a text that we can read from the call"]
    text = found["text"]
    record = (
        json.loads(f'"{_escaped(text)}"')
        if text is not None
        else RAW_ESCAPE.sub(r"\1", found["raw"])
    )
    lines = [record.encode()]
    read = list(events(bigsec.read(iter(lines), name="example")))
    told = FORMATS[row["function"]]
    if read and read[0].parser == "none" and told:
        read = list(events(bigsec.read(iter(lines), name="example", format=told)))
    if not row["ok"]:
        claimed = [event.parser for event in read if event.parser != "none"]
        return int(not claimed), 1, claimed
    have = {value for event in read for value in _values(event)}
    wanted = list(_leaves(row["result"]))
    lacks = [value for value in wanted if value not in have]
    return len(wanted) - len(lacks), len(wanted), lacks


def _escaped(text: str) -> str:
    return text.replace("\n", "\\n").replace("\\'", "'").replace("\\{", "{")


def _values(event: Event) -> Iterator[str]:
    columns = event.columns.values()
    fields = (value for values in event.fields.values() for value in values if value is not None)
    for value in (*columns, *fields):
        yield _canonical(value)


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif value is not None and not isinstance(value, bool):
        yield _canonical(value)


def _canonical(value: object) -> str:
    text = str(value)
    try:
        return datetime.fromisoformat(text).isoformat() if "T" in text and ":" in text else text
    except ValueError:
        return text
