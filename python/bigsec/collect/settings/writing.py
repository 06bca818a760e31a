"""The configuration written out: a file to begin with, and tables for the reference.

Both are made from the models, so that neither can say what the program does not do.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any, Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from bigsec.collect.settings.base import Section
from bigsec.collect.settings.root import Settings
from bigsec.collect.settings.sinks import FileSink, HttpSink, LakeSink
from bigsec.collect.settings.sources import (
    FileSource,
    HttpSource,
    RelpSource,
    StdinSource,
    SyslogTcpSource,
    SyslogUdpSource,
)

__all__ = ["SCHEMA_FILE", "Key", "example", "keys", "schema", "tables", "toml"]

SCHEMA_FILE: Final = "bigsec.schema.json"
_WIDTH: Final = 96
_SOURCES: Final = (
    FileSource,
    SyslogUdpSource,
    SyslogTcpSource,
    RelpSource,
    HttpSource,
    StdinSource,
)
_SINKS: Final = (FileSink, HttpSink, LakeSink)
_ACTIVE: Final = {"local_logs": {"type": "file", "paths": ["/var/log/*.log", "/var/log/syslog"]}}


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
    }


def toml(value: Any) -> str:
    """One value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {toml(one)}" for key, one in value.items())
        return "{ " + inner + " }" if inner else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, int | float):
        return f"{value:_}" if isinstance(value, int) and value >= 10_000 else str(value)
    return json.dumps(str(value), ensure_ascii=False)


class Key:
    """One key of a section, as people read it."""

    def __init__(self, name: str, field: FieldInfo) -> None:
        self.name = name
        self.about = " ".join((field.description or "").split())
        self.required = field.is_required()
        self.default = None if self.required else field.get_default(call_default_factory=True)
        self.bounds = _bounds(field)

    @property
    def shown(self) -> str:
        """The default as TOML; empty where there is none."""
        return "" if self.required or self.default is None else toml(self.default)


def keys(section: type[Section]) -> list[Key]:
    """The keys of a section that hold values, not tables."""
    return [
        Key(name, field)
        for name, field in section.model_fields.items()
        if not _is_table(field) and name != "type"
    ]


def tables() -> Iterator[tuple[str, str, type[Section]]]:
    """Every table: its header, its type where it has one, and its section."""
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, "", field.annotation
    for table, sections in (("sources.NAME", _SOURCES), ("sinks.NAME", _SINKS)):
        for section in sections:
            (kind,) = get_args(section.model_fields["type"].annotation)
            yield table, kind, section


def example() -> str:
    """A configuration that works as it is, with every key as a comment."""
    lines = [
        f"#:schema {SCHEMA_FILE}",
        "# Configuration of `bigsec run`. Values behind # are the defaults; sizes are bytes.",
        "# Check: bigsec config check -c FILE. Secrets stand in files of their own (…_file).",
        "",
    ]
    for key in keys(Settings):
        lines += _commented(key)
    for name, _, section in tables():
        if name not in {"sources.NAME", "sinks.NAME"}:
            lines += ["", *_wrapped(_first_line(section)), f"[{name}]"]
            lines += [line for key in keys(section) for line in _commented(key)]
    lines += ["", "# Sources. Any number of tables; NAME is yours."]
    for name, values in _ACTIVE.items():
        lines += [f"[sources.{name}]", *(f"{key} = {toml(one)}" for key, one in values.items())]
    for section in (*_SOURCES, *_SINKS):
        lines += ["", *_section_example(section)]
    return "\n".join(lines) + "\n"


def _section_example(section: type[Section]) -> list[str]:
    (kind,) = get_args(section.model_fields["type"].annotation)
    table = "sinks" if section in _SINKS else "sources"
    lines = [*_wrapped(_first_line(section)), f"# [{table}.NAME]", f'# type = "{kind}"']
    lines += [line for key in keys(section) for line in _commented(key)]
    if "tls" in section.model_fields:
        lines += ["# tls = { certificate_file = …, key_file = …, client_ca_file = … }"]
    return lines


def _commented(key: Key) -> list[str]:
    return [*_wrapped(key.about), f"# {key.name} = {key.shown or '…'}"]


def _wrapped(told: str) -> list[str]:
    return [f"## {line}" for line in textwrap.wrap(told, _WIDTH - 3)]


def _first_line(section: type[Section]) -> str:
    return " ".join((section.__doc__ or "").split())


def _is_table(field: FieldInfo) -> bool:
    if get_origin(field.annotation) is dict:
        return True
    inner = (field.annotation, *get_args(field.annotation))
    return any(isinstance(one, type) and issubclass(one, Section) for one in inner)


def _bounds(field: FieldInfo) -> str:
    """`1 – 60`, or the choices."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(field.annotation))
    found = {}
    for rule in field.metadata:
        for name in ("ge", "gt", "le"):
            if (bound := getattr(rule, name, None)) is not None:
                found[name] = bound
    low, high = found.get("ge", found.get("gt")), found.get("le")
    if low is None or high is None:
        return ""
    return f"{'> ' if 'gt' in found else ''}{low:,} – {high:,}"
