"""Rows in every format: parseable, and harmless where they are opened."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigsec.cli.output import Format, cell, choose, rows, to_json

ANY_TEXT = st.text(st.characters(codec=None))


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def _written(form: Format, given: list[dict[str, object]], columns: tuple[str, ...]) -> bytes:
    stream = io.BytesIO()
    writer = rows(form, columns, stream)
    for row in given:
        writer.write(row)
    writer.close()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("named", "as_json", "tty", "expected"),
    [
        (None, False, True, Format.TABLE),
        (None, False, False, Format.NDJSON),
        (None, True, True, Format.NDJSON),
        (Format.CSV, False, True, Format.CSV),
        (Format.TABLE, False, False, Format.TABLE),
    ],
)
def test_the_form_follows_the_destination_unless_named(
    named: Format | None,
    as_json: bool,
    tty: bool,
    expected: Format,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert choose(named, as_json, _Tty() if tty else io.StringIO()) is expected


@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text())
)
def test_json_comes_back_as_it_went(row: dict[str, object]) -> None:
    assert json.loads(to_json(row)) == row


@given(ANY_TEXT)
def test_json_of_any_text_is_one_line_without_controls(value: str) -> None:
    raw = to_json({"v": value})
    shown = raw.decode()
    assert "\n" not in shown
    assert not any(0x7F <= ord(one) < 0xA0 or ord(one) < 0x20 for one in shown)
    json.loads(raw)


@given(st.lists(ANY_TEXT, max_size=5))
def test_json_lines_and_arrays_hold_every_row(values: list[str]) -> None:
    given_rows: list[dict[str, object]] = [{"v": value} for value in values]
    lines = _written(Format.NDJSON, given_rows, ("v",)).splitlines()
    assert len(lines) == len(values)
    assert len(json.loads(_written(Format.JSON, given_rows, ("v",)))) == len(values)


@given(ANY_TEXT)
def test_a_cell_never_begins_a_formula(value: str) -> None:
    shown = cell(value)
    if not shown.removeprefix("-").removeprefix("+").replace(".", "", 1).isdigit():
        assert not shown.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("＝1+1", "'＝1+1"),
        ("\t=1", "'\t=1"),
        ("-5", "-5"),
        (-5, "-5"),
        ("+3.25", "+3.25"),
        ("-5+cmd()", "'-5+cmd()"),
        (["10.0.0.1", "10.0.0.2"], "10.0.0.1; 10.0.0.2"),
        (["=1", "b"], "'=1; b"),
        (None, ""),
        (True, "true"),
    ],
)
def test_cells(value: object, expected: str) -> None:
    assert cell(value) == expected


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_csv_is_utf8_with_a_mark_and_keeps_its_columns(values: list[str]) -> None:
    columns = tuple(f"c{index}" for index in range(len(values)))
    raw = _written(Format.CSV, [dict(zip(columns, values, strict=True))], columns)
    assert raw.startswith(b"\xef\xbb\xbf")
    header, row = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    assert tuple(header) == columns
    assert row == [cell(value) for value in values]
