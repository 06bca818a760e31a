"""Alerts out of files: tables, objects, sensors' own records, and what is none."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bigsec.detect.perceive import Alert, Fault, Sensors, read_alerts

SENSORS = Sensors()
CASES = yaml.safe_load(
    (Path(__file__).parent / "cases" / "sensors.yaml").read_text(encoding="utf-8")
)
EVE = {
    "timestamp": "2026-12-01T03:00:00.250000+0800",
    "event_type": "alert",
    "dest_ip": "192.0.2.9",
    "alert": {"signature": "ET SCAN Possible Nmap User-Agent Observed", "signature_id": 2024364},
}
WAZUH = {
    "timestamp": "2026-11-30T19:00:01.5+0000",
    "rule": {"level": 5, "description": "PAM: User login failed."},
    "agent": {"name": "files", "id": "001"},
}
ZEEK = {"ts": 1796065202.25, "note": "SSH::Password_Guessing", "src": "192.0.2.7"}
AMINER = {
    "AnalysisComponent": {"AnalysisComponentName": "New event type."},
    "LogData": {"Timestamps": [1796065203], "LogResources": ["web"]},
}


def _read(path: Path, content: bytes) -> list[Alert | Fault]:
    path.write_bytes(content)
    return list(read_alerts(path, SENSORS))


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_records_of_sensors_are_alerts_as_they_come(tmp_path: Path, name: str) -> None:
    flow = {"timestamp": EVE["timestamp"], "event_type": "flow", "dest_ip": "192.0.2.9"}
    lines = "\n".join(json.dumps(one) for one in (EVE, flow, WAZUH, ZEEK, AMINER)).encode()
    found = _read(tmp_path / name, gzip.compress(lines) if name.endswith(".gz") else lines)
    base = 1_796_065_200
    suricata = "Suricata: Alert - ET SCAN Possible Nmap User-Agent Observed"
    assert found[0] == Alert(base + 0.25, suricata, "192.0.2.9", f"{name}:000000001")
    assert isinstance(found[1], Fault)
    assert found[1].other
    alerts = [one for one in found[2:] if isinstance(one, Alert)]
    assert [one[:3] for one in alerts] == [
        (base + 1.5, "Wazuh: PAM: User login failed.", "files"),
        (base + 2.25, "Zeek: SSH::Password_Guessing", "192.0.2.7"),
        (base + 3.0, "AMiner: New event type.", "web"),
    ]
    methods = [SENSORS.meaning(one.detector).method.name for one in alerts]
    assert methods == ["login", "login", "change"]


@pytest.mark.parametrize("case", CASES)
def test_a_record_of_each_sensor_is_known(tmp_path: Path, case: dict[str, Any]) -> None:
    (found,) = _read(tmp_path / "a.json", json.dumps(case["record"]).encode())
    if "alert" not in case:
        assert isinstance(found, Fault)
        assert found.other
        return
    assert isinstance(found, Alert)
    method = SENSORS.meaning(found.detector).method.name
    assert [found.detector, found.host, method] == case["alert"]
    assert int(found.time_s) == int(datetime(2026, 12, 1, 3, tzinfo=UTC).timestamp())


def test_every_sensor_with_records_has_a_case() -> None:
    told = {case["alert"][0].split(": ", 1)[0] for case in CASES if "alert" in case}
    own = {"Suricata", "Wazuh", "Zeek", "AMiner"}
    assert {shape.prefix.split(":", 1)[0] for shape in SENSORS.shapes} == told | own


def test_a_table_needs_a_time_a_name_and_a_host(tmp_path: Path) -> None:
    table = (
        '\ufefftime,host,rule\n1796065200,web,"a, b"\n1796065200000,web,c\n'
        "2026-12-01 03:00:00Z,web,d\nsoon,web,e\n1796065200,,f\n1796065200,web\n\n-5,web,g\n"
    )
    found = _read(tmp_path / "a.csv", table.encode())
    assert [one[:3] for one in found[:2]] == [
        (1_796_065_200.0, "a, b", "web"),
        (1_796_065_200.0, "c", "web"),
    ]
    assert found[2][:3] == (1_796_094_000.0, "d", "web")
    faults = [one for one in found[3:] if isinstance(one, Fault)]
    assert [(one.line, one.what.split(" in ")[0], one.other) for one in faults] == [
        (5, "no time", False),
        (6, "no host", False),
        (7, "no name of an alert", True),
        (9, "no time", False),
    ]


@given(
    st.binary(max_size=400),
    st.sampled_from((b"", b"{", b'{"time": 1, "name": "x", ', b"time,name,host\n")),
)
def test_t4_any_bytes_are_alerts_or_faults_and_each_line_is_told(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, before: bytes
) -> None:
    path = tmp_path_factory.mktemp("alerts") / "a"
    for one in _read(path, before + content):
        if isinstance(one, Alert):
            assert one.time_s >= 0
            assert one.detector
            assert one.host
        else:
            assert one.line >= 1
            assert one.what


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        list(read_alerts(tmp_path / "nowhere", SENSORS))
