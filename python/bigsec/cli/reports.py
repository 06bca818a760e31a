"""Faults of rules for the machines that show them: SARIF, GitHub's annotations, JUnit.

Each is one function from faults to bytes; another form is one more, and one word in `Report`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bigsec.cli import problems
from bigsec.cli.output import to_json
from bigsec.cli.terminal import visible
from bigsec.cli.wording import text_or

if TYPE_CHECKING:
    from bigsec.errors import Problem

__all__ = ["Report", "report"]


class Report(StrEnum):
    """Who reads it."""

    SARIF = "sarif"
    GITHUB = "github"
    JUNIT = "junit"


def report(form: Report, faults: Sequence[Problem], files: int) -> bytes:
    """The faults in that form. files: how many were looked at."""
    return _FORMS[form](problems.in_order(faults), files)


def _sarif(faults: Sequence[Problem], files: int) -> bytes:
    """Static Analysis Results Interchange Format 2.1.0 (OASIS)."""
    import bigsec

    codes = sorted({(fault.code, fault.name) for fault in faults})
    kinds = [
        {
            "id": code,
            "name": name,
            "shortDescription": {"text": text_or(f"code.{code}", name)},
        }
        for code, name in codes
    ]
    driver = {"name": "bigsec", "version": bigsec.__version__, "rules": kinds}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(fault, [code for code, _ in codes]) for fault in faults],
    }
    return to_json({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}) + b"\n"


_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def _result(fault: Problem, codes: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ruleId": fault.code,
        "ruleIndex": codes.index(fault.code),
        "level": "error" if problems.is_error(fault) else "warning",
        "message": {"text": _sentence(fault)},
    }
    if fault.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(fault.file)}}
        if fault.line:
            region = {"startLine": fault.line, "startColumn": max(fault.column, 1)}
            if fault.length:
                region["endColumn"] = region["startColumn"] + fault.length
            place["region"] = region
        told["locations"] = [{"physicalLocation": place}]
    return told


def _uri(file: str) -> str:
    """A relative reference stays one, so that a viewer finds it in its own checkout."""
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="replace")


def _github(faults: Sequence[Problem], files: int) -> bytes:
    """Workflow commands of GitHub Actions, one a line."""
    lines = []
    for fault in faults:
        kind = "error" if problems.is_error(fault) else "warning"
        place = {"file": fault.file, "line": fault.line, "col": fault.column, "title": fault.code}
        given = ",".join(f"{key}={_property(str(value))}" for key, value in place.items() if value)
        lines.append(f"::{kind} {given}::{_data(_sentence(fault))}\n")
    return "".join(lines).encode(errors="replace")


def _data(told: str) -> str:
    return told.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(told: str) -> str:
    return _data(told).replace(":", "%3A").replace(",", "%2C")


def _junit(faults: Sequence[Problem], files: int) -> bytes:
    """JUnit's XML: a test case for each file at fault, and one for all that are sound."""
    from xml.etree import ElementTree as Xml

    by_file: dict[str, list[Problem]] = {}
    for fault in faults:
        by_file.setdefault(fault.file, []).append(fault)
    failing = {file: told for file, told in by_file.items() if any(map(problems.is_error, told))}
    suite = Xml.Element("testsuite", name="bigsec rules check")
    sound = max(files - len(failing), 0)
    for file, told in sorted(by_file.items()):
        case = Xml.SubElement(suite, "testcase", classname="rules", name=visible(file) or "rules")
        lines = "\n".join(f"{one.line}:{one.column} {one.code} {_sentence(one)}" for one in told)
        if file in failing:
            first = next(filter(problems.is_error, told))
            failure = Xml.SubElement(case, "failure", message=_sentence(first), type=first.code)
            failure.text = lines
        else:
            Xml.SubElement(case, "system-out").text = lines
    if sound:
        Xml.SubElement(suite, "testcase", classname="rules", name=f"{sound} files")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(failing)))
    return bytes(Xml.tostring(suite, encoding="utf-8", xml_declaration=True)) + b"\n"


def _sentence(fault: Problem) -> str:
    told = f"{fault.message}: {fault.mend}" if fault.mend else fault.message
    return visible(told)


_FORMS: Mapping[Report, Callable[[Sequence[Problem], int], bytes]] = {
    Report.SARIF: _sarif,
    Report.GITHUB: _github,
    Report.JUNIT: _junit,
}
