"""Each set is scored through the script, on small invented data of the same layout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from sets import load

BENCH = Path(__file__).resolve().parents[2] / "bench"
# Stands for the scorer beside the data: shows what it was given.
SCORER = """
import json, pathlib, sys
mode, truth, predicted, *options = sys.argv[1:]
for row in pathlib.Path(predicted).read_text().splitlines():
    print("predicted", *sorted(json.loads(row)["matched"]), *options)
for row in pathlib.Path(truth).read_text().splitlines():
    print("truth", *sorted(json.loads(row)["matched" if mode == "pairs" else "event_ids"]))
print("passed 1 of 1")
"""
RULE = """
title: A Rule for the Test
id: 11111111-2222-3333-4444-555555555555
status: deprecated
logsource: {product: windows, service: security}
detection:
  selection: {EventID: 4625, TargetUserName: guest}
  condition: selection
"""
FLAT = {"EventID": 4625, "Channel": "Security", "Computer": "a.corp.example"}
# As Winlogbeat 6 has it, which the oracle of windows-events cannot read.
OLD = {
    "event_id": 4625,
    "log_name": "Security",
    "source_name": "Microsoft-Windows-Security-Auditing",
    "event_data": {"TargetUserName": "guest"},
}
RAW = {
    "System": {
        "Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing"}},
        "EventID": 4625,
        "TimeCreated": {"#attributes": {"SystemTime": "2026-11-24T09:15:02.1Z"}},
        "Channel": "Security",
        "Computer": "a.corp.example",
    }
}
EVE = {
    "timestamp": "2026-11-24T09:15:02.100000+0000",
    "event_type": "alert",
    "flow_id": 1720456093214771,
    "src_ip": "198.51.100.23",
    "src_port": 40122,
    "dest_ip": "10.20.1.11",
    "dest_port": 80,
    "proto": "TCP",
    "alert": {"signature": "DEMO", "severity": 1, "metadata": {"tag": ["a", "b"]}},
}
ZEEK_HEAD = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tssh\n"
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tversion\tauth_success\tclient\n"
    "#types\ttime\tstring\taddr\tport\taddr\tport\tcount\tbool\tstring\n"
)
ACCESS = '192.0.2.7 - - [24/Nov/2026:09:15:02 +0100] "GET /a?b=1 HTTP/1.1" 200 12 "-" "Demo/1"'


def _score(name: str, data: Path, *options: str) -> list[str]:
    command = [sys.executable, str(BENCH / "score.py"), name, "--data", str(data), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _write_lines(path: Path, *rows: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def _events(user: str, number: int) -> tuple[dict[str, object], dict[str, object]]:
    """The same event flat and raw, with its label."""
    label = {"_id": f"small/1#{number}", "_file": "small/1.evtx"}
    data = {"TargetUserName": user}
    return label | FLAT | data, label | {"Event": RAW | {"EventData": data}}


@pytest.fixture
def windows(tmp_path: Path) -> Path:
    """Data of the layout of windows-events, with its rules and a scorer beside it."""
    pairs = [_events("guest", 0), _events("root", 1)]
    folder = tmp_path / "windows-events"
    _write_lines(folder / "small" / "flat.ndjson", *(flat for flat, _ in pairs))
    _write_lines(folder / "small" / "raw.ndjson", *(raw for _, raw in pairs))
    old = {"_id": "flatonly/2#1", **OLD}
    _write_lines(folder / "flat-only" / "flat.ndjson", {"_id": "flatonly/2#0", **FLAT}, old)
    _write_lines(
        folder / "oracle.jsonl",
        {
            "rule_id": "x",
            "matched": ["small/1#0", "flatonly/2#0"],
            "matched_by_audit_mapping": ["flatonly/2#0"],
        },
    )
    (folder / "oracle.stats.json").write_text('{"rules_left_out_of_oracle": []}')
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rule.yml").write_text(RULE)
    (tmp_path / "score.py").write_text(SCORER)
    return folder


def test_windows_events_are_judged_flat_and_raw_where_the_oracle_can_read(
    windows: Path,
) -> None:
    beside = windows.parent
    options = ("--rules", str(beside / "rules"), "--scorer", str(beside / "score.py"))
    assert _score("windows-events", windows, *options) == [
        "== windows-events: flat",
        "events parsed 4 of 4, pairs 1",
        "pairs in 1 records that the oracle cannot read, not judged: 1",
        "predicted small/1#0",
        "truth flatonly/2#0 small/1#0",
        "passed 1 of 1",
        "== windows-events: flat noaudit",
        "events parsed 4 of 4, pairs 1",
        "pairs in 1 records that the oracle cannot read, not judged: 1",
        "predicted small/1#0 noaudit",
        "truth flatonly/2#0 small/1#0",
        "passed 1 of 1",
        "== windows-events: raw",
        "events parsed 2 of 2, pairs 1",
        "pairs in 0 records that the oracle cannot read, not judged: 0",
        "predicted small/1#0",
        "truth small/1#0",
        "passed 1 of 1",
        "== windows-events: raw noaudit",
        "events parsed 2 of 2, pairs 1",
        "pairs in 0 records that the oracle cannot read, not judged: 0",
        "predicted small/1#0 noaudit",
        "truth small/1#0",
        "passed 1 of 1",
    ]


def test_sigma_regression_takes_its_events_from_beside_the_folder(windows: Path) -> None:
    (windows / "small").rename(windows / "sigmahq-regression")
    data = windows.parent / "sigma-regression"
    (windows.parent / "rules").rename(windows.parent / "rules_used")
    _write_lines(data / "expected.jsonl", {"rule_id": "x", "event_ids": ["small/1#0"]})
    (windows.parent / "rules_used").rename(data / "rules_used")
    rows = _score("sigma-regression", data, "--scorer", str(windows.parent / "score.py"), "--json")
    assert [json.loads(row) for row in rows] == [
        {"set": "sigma-regression", "case": case, **figures}
        for case in ("flat", "raw")
        for figures in (
            {"what": "events parsed", "got": 2, "of": 2},
            {"what": "passed", "got": 1, "of": 1},
        )
    ]


def test_suricata_eve_counts_every_leaf(tmp_path: Path) -> None:
    _write_lines(tmp_path / "eve.ndjson", EVE, EVE | {"proto": "UDP", "unheard_of": None})
    assert _score("suricata-eve", tmp_path) == [
        "== suricata-eve: lossless",
        "events 2 of 2",
        "leaves kept 25 of 25",
        "read by suricata 2 of 2",
    ]


def test_zeek_records_are_compared_in_both_forms(tmp_path: Path) -> None:
    same = "1764000000.250000\tCabc\t192.0.2.1\t4000\t192.0.2.2\t22\t2\tT\tOpenSSH 10"
    other = "1764000001.000000\tCabd\t192.0.2.1\t4001\t192.0.2.2\t22\t2\t-\t-"
    (tmp_path / "ssh.log").write_text(f"{ZEEK_HEAD}{same}\n{other}\n")
    ends = {"id.orig_h": "192.0.2.1", "id.resp_h": "192.0.2.2", "id.resp_p": 22, "version": 2}
    path = {"_path": "ssh", "_write_ts": "2025-11-24T16:00:05Z"}
    first = {"ts": "2025-11-24T16:00:00.250000Z", "uid": "Cabc", "id.orig_p": 4000, **ends}
    second = {"ts": "2025-11-24T16:00:01Z", "uid": "Cxyz", "id.orig_p": 4001, **ends}
    first |= {"auth_success": True, "client": "OpenSSH 10"}
    _write_lines(tmp_path / "ssh.json", path | first, path | second)
    head, log, every, *differences = _score("zeek-tsv-json", tmp_path)
    assert head == "== zeek-tsv-json: records"
    assert (log, every) == ("ssh: equal 1 of 2", "all: equal 1 of 2")
    assert any(re.search(r"ssh: field uid: \['Cabd'\] in TSV", line) for line in differences)


def test_zeek_baselines_are_right_where_every_record_has_what_its_header_says(
    tmp_path: Path,
) -> None:
    record = "XXXXXXXXXX.XXXXXX\tC1\t192.0.2.1\t4022\t192.0.2.2\t22\t2\tT\t-\n"
    good = {"id": "a/ssh.log", "text": f"### A tool's line\n{ZEEK_HEAD}{record * 2}#close\tX\n"}
    bad = {"id": "b/ssh.log", "text": f"{ZEEK_HEAD}{record}no record\n"}
    _write_lines(tmp_path / "files.jsonl", good | {"records": 2}, bad | {"records": 2})
    assert _score("zeek-baselines", tmp_path)[:4] == [
        "== zeek-baselines: files",
        "files right 1 of 2",
        "records 3 of 4",
        "records with every field 3 of 4",
    ]


def test_indicators_are_found_and_near_misses_are_not(tmp_path: Path) -> None:
    rows = ["indicator\ttype\tclass\tfamily"]
    for value, kind in (
        ("evil.example", "domain"),
        ("198.51.100.7", "ip"),
        ("203.0.113.0/24", "cidr"),
        ("192.0.2.66:4444", "ip:port"),
        ("/panel/gate.php", "url"),
        ("http://shop.example/a", "url"),
        ("x[a-z]+", "other"),
    ):
        rows.append(f"{value}\t{kind}\tmalware\tone")
    (tmp_path / "iocs.tsv").write_text("\n".join(rows) + "\n")
    head, found, silent, *parts = _score("ioc-maltrail", tmp_path)
    assert (head, found, silent) == ("== ioc-maltrail: events", "found 7 of 7", "silent 6 of 6")
    assert "found: domain below 1 of 1" in parts
    assert "silent: ip with another port 1 of 1" in parts


def test_real_logs_are_compared_field_by_field(tmp_path: Path) -> None:
    fields = {
        "remote_host": "192.0.2.7",
        "ident": None,
        "user": None,
        "time": "2026-11-24T09:15:02+01:00",
        "request": "GET /a?b=1 HTTP/1.1",
        "status": 200,
        "bytes": 12,
        "referer": None,
        "agent": "Demo/1",
    }
    _write_lines(
        tmp_path / "apache_access.jsonl",
        {"id": "a#0", "line": ACCESS, "expected": fields},
        {"id": "a#1", "line": ACCESS, "expected": fields | {"status": 404}},
        {"id": "a#2", "line": "broken", "expected": None},
    )
    _write_lines(tmp_path / "nginxplus.ndjson", {"version": 6, "zones": {"a": [1, 2]}})
    assert _score("real-logs", tmp_path) == [
        "== real-logs: apache",
        "lines exact 1 of 2",
        "unread by the oracle: a#2, here by none: broken",
        "wrong 1 x status: 404 became 200",
        "== real-logs: nginx plus",
        "events 1 of 1",
        "leaves kept 3 of 3",
        "read by json 1 of 1",
    ]


def test_loghub_compares_every_value_of_the_table_and_the_time(tmp_path: Path) -> None:
    folder = tmp_path / "Spark"
    folder.mkdir()
    (folder / "Spark_2k.log").write_text(
        "26/01/09 11:04:05 INFO storage.Store: block kept\n26/01/09 11:04:06 INFO a.B: up\n"
    )
    (folder / "Spark_2k.log_structured.csv").write_text(
        "LineId,Date,Time,Level,Component,Content,EventId,EventTemplate\n"
        "1,26/01/09,11:04:05,INFO,storage.Store,block kept,E1,x\n"
        "2,26/01/09,11:04:07,INFO,a.C,up,E2,x\n"
    )
    shown = _score("loghub-2k", tmp_path)
    assert "lines kept 2 of 2" in shown
    assert "values got 5 of 6" in shown
    assert "times got 1 of 2" in shown
    assert "missed 1 x Component: a.C (application)" in shown


def test_lnav_counts_what_a_pack_reads(tmp_path: Path) -> None:
    text = "2026-01-09 11:04:05 ERROR down\nno time\n"
    _write_lines(tmp_path / "files.jsonl", {"id": "a.0", "format_hint": "a", "text": text})
    shown = _score("lnav-formats", tmp_path)
    assert shown == [
        "== lnav-formats: files",
        "a.0: read by a pack 1 of 2",
        "== lnav-formats: records",
        "all: read by a pack 1 of 2",
        "all: with a time 1 of 2",
    ]


def test_vrl_reads_the_text_from_the_call(tmp_path: Path) -> None:
    call = 'parse_logfmt!("a=1 b=\\"x y\\" c=3")'
    flow = 'community_id!(source_ip: "1.2.3.4", destination_ip: "5.6.7.8", protocol: 46)'
    _write_lines(
        tmp_path / "cases.jsonl",
        {"id": "a", "function": "parse_logfmt", "call": call, "ok": True}
        | {"result": {"a": "1", "b": "x y", "c": "4", "d": True}},
        {"id": "b", "function": "community_id", "call": flow, "ok": True}
        | {"result": "1:ikv3kmf89luf73WPz1jOs49S768="},
        {"id": "c", "function": "parse_etld", "call": "", "ok": True, "result": 1},
    )
    shown = _score("vrl-parse", tmp_path)
    assert "a lacks 4" in shown
    assert "all: values 3 of 4" in shown
    assert "no formats of logs: 1 parse_etld" in shown


def test_ait_alerts_gives_each_alert_to_its_incident(tmp_path: Path) -> None:
    rows = ["time,name,ip,host,short,time_label,event_label"]
    rows += [
        f"{300 * n},Wazuh: Web server 400 error code.,-,web,W,false_positive,-" for n in range(600)
    ]
    for second, name in ((0, "Suspicious URL access."), (9, "Common web attack.")):
        rows.append(f"{180_000 + second},Wazuh: {name},-,web,W,dirb,dirb")
    packed = zstandard.ZstdCompressor().compress("\n".join(rows).encode())
    (tmp_path / "small.csv.zst").write_bytes(packed)
    scorer = tmp_path / "shows.py"
    scorer.write_text(
        "import json, sys\n"
        "for line in open(sys.argv[3]):\n"
        "    row = json.loads(line)\n"
        "    print('rows', row['rows'], 'raised', row['raised'], row['t_raised'])\n"
    )
    assert _score("ait-alerts", tmp_path, "--scorer", str(scorer)) == [
        "== ait-alerts: small",
        "rows [600, 601] raised True 180009.0",
    ]


def test_nothing_read_is_void_and_not_a_score(tmp_path: Path) -> None:
    (tmp_path / "apache_access.jsonl").write_text("")
    command = [sys.executable, str(BENCH / "score.py"), "zeek-tsv-json", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("void: ")


def test_every_set_says_what_it_compares() -> None:
    for name, module in load().items():
        assert (module.__doc__ or "").strip(), name
