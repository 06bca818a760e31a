"""A first draft of a parser pack, made from lines that no pack knows.

What can be seen is written down: the syntax, the fields that tell these records from others, the
time, and columns by what their fields are called and hold. A person looks at the rest.
"""

from __future__ import annotations

import ipaddress
import json
import re
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from bigsec._core import Packs, explain_record
from bigsec.errors import FormatError, Problem

# Lines that are looked at, samples that the draft has, fields of a record that are looked at.
LINES_MAX = 200
SAMPLES = 2
FIELDS_MAX = 400
# A field whose value is the same in every line, and this short, may tell what wrote it.
_TELLING_MAX = 40
_NO_DECODER = ("BS1001", "parse.no_decoder")
# Decoders that take anything say nothing of a line.
_ANYTHING = frozenset({"plain", "timed"})
_TIMES = (
    ("rfc3339", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)"),
    ("%Y-%m-%d %H:%M:%S%.f", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+"),
    ("%Y-%m-%d %H:%M:%S", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    ("%Y/%m/%d %H:%M:%S", r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"),
    ("clf", r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}"),
    ("rfc3164", r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"),
    ("epoch", r"1\d{9}(\.\d+|\d{3}|\d{6}|\d{9})?"),
)


@dataclass(frozen=True)
class Draft:
    """A pack's text, and what it rests on."""

    text: str
    decoder: str
    # Lines that the decoder reads, of how many.
    read: int
    lines: int
    # Column by field, as guessed.
    columns: Mapping[str, str]


def draft(pack_id: str, lines: Sequence[bytes], known: Packs) -> Draft:
    """A draft from sample lines, whose samples hold.

    known: packs that have all decoders. Raises FormatError where no line has a syntax of theirs,
    PackError where the id cannot be one.
    """
    told = [explain_record(line, known) for line in lines[:LINES_MAX]]
    counts = Counter(one["decoder"] for one in told if one["decoder"] not in {None, *_ANYTHING})
    if not counts:
        what = "no line has a syntax that a decoder reads"
        mend = "for prose, start from a pack that has `patterns`, such as linux_auth"
        fault = Problem(*_NO_DECODER, what, mend=mend)
        raise FormatError(*_NO_DECODER, what, (fault,))
    decoder = counts.most_common(1)[0][0]
    records = [one["fields"] for one in told if one["decoder"] == decoder]
    fields = _by_name(records)
    columns = _columns(fields)
    head = _head(pack_id, decoder, fields, len(records), columns)
    chosen = [line for line, one in zip(lines, told, strict=False) if one["decoder"] == decoder][
        :SAMPLES
    ]
    text = head + _samples(pack_id, head, chosen)
    return Draft(text, decoder, len(records), len(told), columns)


def _by_name(records: Iterable[list[dict[str, Any]]]) -> dict[str, list[str]]:
    """Every value of each field, by the name that its source gave it."""
    found: dict[str, list[str]] = {}
    for record in records:
        for field in record:
            name = field["source"]
            if name and (name in found or len(found) < FIELDS_MAX):
                found.setdefault(name, []).append(field["value"])
    return found


def _columns(fields: Mapping[str, list[str]]) -> dict[str, str]:
    """A column for each field that looks like one; each column once."""
    chosen: dict[str, str] = {}
    for column, names in _guesses().items():
        for spelling in names:
            found = [
                name
                for name, values in fields.items()
                if spelling in {_spelt(name), _spelt(name.rsplit(".", 1)[-1])}
                and all(_can_be(column, value) for value in values if value)
            ]
            if found and column not in chosen and found[0] not in chosen.values():
                chosen[column] = found[0]
    return chosen


def _spelt(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _can_be(column: str, value: str) -> bool:
    part = column.rsplit(".", 1)[-1]
    if part == "ip":
        try:
            ipaddress.ip_address(value)
        except ValueError:
            return False
        return True
    if part in {"port", "code", "bytes_in", "bytes_out"}:
        return value.isdecimal() or column == "metadata.event_code"
    return True


@cache
def _guesses() -> dict[str, list[str]]:
    file = resources.files("bigsec").joinpath("packs", "tables", "guesses.toml")
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return {column: entry["names"] for column, entry in table.items()}


def _head(
    pack_id: str,
    decoder: str,
    fields: Mapping[str, list[str]],
    count: int,
    columns: Mapping[str, str],
) -> str:
    time = _time(fields)
    parts = [
        "# A draft: look at every line of it. docs/how-to/add-a-log-source.md says what they mean.",
        f"id: {pack_id}",
        f"title: {pack_id}",
        "about: What it reads, in a sentence.",
        f"decoder: {decoder}",
        "",
        "# By what a record is known. Be narrow: what this takes, no other pack gets.",
        "recognise:",
        f"  - {_recognise(fields, count, time and time[0])}",
        "",
    ]
    if time:
        parts += ["time:", f"  - {{field: {_yaml(time[0])}, format: {_yaml(time[1])}}}", ""]
    parts += [
        "# The OCSF class: https://schema.ocsf.io. 0 is none of them.",
        "constants:",
        "  class_uid: 0",
        "  severity_id: 1",
        "",
    ]
    if columns:
        parts += ["fields:", *(f"  {name}: {_yaml(field)}" for name, field in columns.items()), ""]
    return "\n".join(parts) + "\n"


def _recognise(fields: Mapping[str, list[str]], count: int, time: str | None) -> str:
    """Fields that say the same in every line, else such as every line has."""
    always = {
        name: values
        for name, values in fields.items()
        if len(values) == count and name not in {time, "message"}
    }
    same = {
        name: values[0]
        for name, values in always.items()
        if len(set(values)) == 1 and 0 < len(values[0]) <= _TELLING_MAX
    }
    # Words tell more than numbers, and a single line has everything the same.
    told = sorted(same, key=lambda name: same[name].isdecimal())[:2] if count > 1 else []
    tests = [f"{_yaml(name)}: {_yaml(same[name])}" for name in told]
    others = [name for name in always if name not in told][: 3 - len(tests)]
    tests += [f"{_yaml(name)}: {{present: true}}" for name in others]
    return "{" + ", ".join(tests) + "}"


def _time(fields: Mapping[str, list[str]]) -> tuple[str, str] | None:
    for form, shape in _TIMES:
        for name, values in fields.items():
            if values and all(re.fullmatch(shape, value) for value in values):
                return name, form
    return None


def _samples(pack_id: str, head: str, lines: Sequence[bytes]) -> str:
    """The first lines as samples, with what the draft makes of them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{pack_id}.yaml").write_text(head, encoding="utf-8")
        packs = Packs.load(folder)
    parts = ["# Put invented names and addresses of documentation ranges in place of true ones."]
    parts += ["samples:"]
    for line in lines:
        made = explain_record(line, packs, format=pack_id)
        columns: dict[str, str] = {}
        for field in made["fields"]:
            if field["column"] and field["value"]:
                columns.setdefault(field["column"], field["value"])
        parts.append(f"  - raw: {_yaml(line.decode('utf-8', 'replace'))}")
        if columns:
            shown = ", ".join(f"{name}: {_yaml(value)}" for name, value in columns.items())
            parts.append(f"    columns: {{{shown}}}")
    return "\n".join(parts) + "\n"


def _yaml(text: str) -> str:
    """A scalar; what could be read as anything else stands in quotes."""
    words = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", text) and text.lower() not in words:
        return text
    # Within double quotes YAML has the escapes of JSON.
    quoted = "'" + text.replace("'", "''") + "'"
    return quoted if text.isprintable() else json.dumps(text)
