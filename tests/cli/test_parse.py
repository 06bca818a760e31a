"""`bigsec parse`: events as NDJSON, Parquet and Arrow, and what a pack makes of a record."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Runner


def test_ndjson_is_one_event_a_line(bigsec: Runner, cases: Path) -> None:
    done = bigsec("parse", cases / "access.log")
    events = [json.loads(line) for line in done.out.splitlines()]
    assert [one["http_response"]["code"] for one in events] == [200, 200, 200, 403, 302]
    assert events[0]["time"] == "2026-11-24T00:00:01.000000Z"
    assert "5 = 5 parsed" in done.err


def test_parquet_and_arrow_hold_the_same(bigsec: Runner, cases: Path) -> None:
    for form, name in (("parquet", "events.parquet"), ("arrow", "events.arrow")):
        done = bigsec("parse", cases / "access.log", "--to", form, "--output", name)
        assert (done.code, done.out) == (0, "")
    table = pq.read_table(bigsec.folder / "events.parquet")
    with pa.ipc.open_stream((bigsec.folder / "events.arrow").read_bytes()) as stream:
        assert stream.read_all().equals(table)
    assert table.num_rows == 5
    path = str(bigsec.folder / "events.parquet")
    found = duckdb.execute("select count(*) from read_parquet(?)", [path]).fetchone()
    assert found == (5,)
    assert sorted(path.name for path in bigsec.folder.iterdir()) == [
        "events.arrow",
        "events.parquet",
    ]


def test_binary_can_be_piped_but_not_shown(bigsec: Runner, cases: Path) -> None:
    done = bigsec.on_terminal("parse", cases / "access.log", "--to", "parquet")
    assert (done.code, done.out) == (2, "")
    assert "binary" in done.err


def test_the_output_may_not_be_an_input(bigsec: Runner, cases: Path) -> None:
    content = (cases / "access.log").read_bytes()
    (bigsec.folder / "a.log").write_bytes(content)
    done = bigsec("parse", "a.log", "--output", "./a.log")
    assert done.code == 2
    assert (bigsec.folder / "a.log").read_bytes() == content


def test_an_output_that_cannot_be_written_is_said_so(bigsec: Runner, cases: Path) -> None:
    done = bigsec("parse", cases / "access.log", "--output", "no/such/folder/x.ndjson")
    assert done.code == 2
    assert "cannot write" in done.err


def test_a_device_is_written_to_and_not_replaced(bigsec: Runner, cases: Path) -> None:
    assert bigsec("parse", cases / "access.log", "--output", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()
    folder = bigsec("parse", cases / "access.log", "--output", ".")
    assert folder.code == 2
    assert "cannot write" in folder.err


def test_a_link_stays_a_link(bigsec: Runner, cases: Path) -> None:
    (bigsec.folder / "real.ndjson").write_text("old")
    (bigsec.folder / "link.ndjson").symlink_to("real.ndjson")
    assert bigsec("parse", cases / "access.log", "--output", "link.ndjson").code == 0
    assert (bigsec.folder / "link.ndjson").is_symlink()
    assert len((bigsec.folder / "real.ndjson").read_text().splitlines()) == 5


def test_keep_raw(bigsec: Runner, cases: Path) -> None:
    raw = [
        json.loads(line).get("raw_data")
        for line in bigsec("parse", cases / "access.log", "--keep-raw").out.splitlines()
    ]
    assert raw == (cases / "access.log").read_text().splitlines()
    plain = bigsec("parse", cases / "access.log").out
    assert "raw_data" not in plain


def test_explain_shows_pack_and_columns(bigsec: Runner, cases: Path) -> None:
    done = bigsec.on_terminal("parse", cases / "access.log", "--explain", "--color", "never")
    assert done.code == 0
    assert "src_endpoint.ip" in done.out
    assert "198.51.100.7" in done.out
    (told,) = [
        json.loads(line)
        for line in bigsec("parse", cases / "access.log", "--explain").out.splitlines()
    ]
    columns = {one["column"]: one["value"] for one in told["fields"]}
    assert columns["src_endpoint.ip"] == "198.51.100.7"


def test_explain_takes_the_year_from_the_file(bigsec: Runner) -> None:
    path = bigsec.folder / "auth.log"
    path.write_text("Mar  4 08:00:00 web1 sshd[1]: Connection closed by 192.0.2.1 port 4022\n")
    os.utime(path, (1_615_000_000, 1_615_000_000))  # 2021-03-06
    (told,) = [json.loads(line) for line in bigsec("parse", path, "--explain").out.splitlines()]
    assert told["time"] == "2021-03-04T08:00:00+00:00"


def test_explain_of_what_nothing_reads_says_why(bigsec: Runner) -> None:
    done = bigsec("parse", "-", "--explain", "--format", "table", stdin=b"no such format\n")
    assert done.code == 2
    shown = bigsec.on_terminal("parse", "--explain", "-")
    assert shown.code == 0


def test_a_format_can_be_told(bigsec: Runner, cases: Path) -> None:
    done = bigsec("parse", cases / "access.log", "--input-format", "windows_event")
    assert "5 = 0 parsed + 5 unparsed" in done.err
    wrong = bigsec("parse", cases / "access.log", "--input-format", "windws_event")
    assert wrong.code == 2
    assert "BS4004" in wrong.err
    assert "windows_event" in wrong.err


@pytest.mark.skipif(not os.path.exists("/proc"), reason="needs Linux file names")
def test_a_file_name_in_gbk_is_read(bigsec: Runner, cases: Path) -> None:
    name = "日志.log".encode("gb18030")
    with open(os.fsencode(bigsec.folder) + b"/" + name, "wb") as file:
        file.write((cases / "access.log").read_bytes())
    done = bigsec("parse", ".")
    assert done.code == 0
    assert len(done.out.splitlines()) == 5
