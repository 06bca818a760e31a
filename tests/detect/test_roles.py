"""Who acts and who is acted on comes from the event."""

from __future__ import annotations

from typing import Any

import pytest

from bigsec.detect import Entity
from bigsec.detect.roles import VALUE_MAX, parts_of, with_roles

LOGON = {
    "class_uid": 3002,
    "src_endpoint": {"ip": "203.0.113.9", "hostname": "LAPTOP"},
    "dst_endpoint": {"ip": "192.0.2.5"},
    "device": {"hostname": "DC01.Example.Org", "ip": "192.0.2.5"},
    "actor": {"user": {"name": "svc"}},
    "user": {"name": "alice", "domain": "CORP"},
}
PROCESS = {
    "class_uid": 1007,
    "device": {"hostname": "ws1"},
    "user": {"name": "CORP\\bob"},
    "process": {
        "path": "C:\\Windows\\System32\\cmd.exe",
        "hashes": f"MD5={'A' * 32},SHA256={'B' * 64}",
    },
    "file": {"path": "C:\\Users\\bob\\evil.exe", "hashes": f"MD5={'c' * 32}"},
}


def roles(event: dict[str, Any], *entities: tuple[str, str]) -> list[str]:
    """The roles of entities of a signal on one event."""
    found = with_roles([Entity(*one) for one in entities], [parts_of(event)])
    by_name = {(one.type, one.value): one.role for one in found}
    return [by_name[one] for one in entities]


@pytest.mark.parametrize(
    ("event", "entity", "role"),
    [
        (LOGON, ("ip", "203.0.113.9"), "source"),
        (LOGON, ("ip", "192.0.2.5"), "target"),
        (LOGON, ("host", "dc01.example.org"), "target"),
        (LOGON, ("host", "laptop"), "source"),
        (LOGON, ("user", "svc"), "source"),
        (LOGON, ("user", "CORP\\alice"), "target"),
        (LOGON, ("user", "alice@corp.example"), "target"),
        (LOGON, ("ip", "198.51.100.1"), "related"),
        (LOGON, ("host", "collector"), "related"),
        (PROCESS, ("user", "bob"), "source"),
        (PROCESS, ("hash", "a" * 32), "common"),
        (PROCESS, ("hash", "b" * 64), "common"),
        (PROCESS, ("hash", "c" * 32), "related"),
        (PROCESS, ("process", "C:\\x.exe"), "related"),
        ({}, ("ip", "203.0.113.9"), "source"),
        ({}, ("host", "ws1"), "target"),
        ({}, ("user", "bob"), "source"),
        ({"http_request": {"url": {"hostname": "www"}}}, ("domain", "www"), "target"),
        ({"query": {"hostname": "c2.example"}}, ("domain", "c2.example"), "related"),
        ({"device": "not an object"}, ("host", "ws1"), "target"),
        ({"src_ip": "192.0.2.1", "dst_ip": "192.0.2.1"}, ("ip", "192.0.2.1"), "source"),
    ],
)
def test_the_role_of_an_entity(event: dict[str, Any], entity: tuple[str, str], role: str) -> None:
    assert roles(event, entity) == [role]


def test_over_several_events_the_stronger_role_stands() -> None:
    there, back = {"src_ip": "192.0.2.1"}, {"dst_ip": "192.0.2.1"}
    for events in ([there, back], [back, there]):
        (entity,) = with_roles([Entity("ip", "192.0.2.1")], [parts_of(one) for one in events])
        assert entity.role == "source"


def test_a_long_value_is_cut_at_the_limit_and_one_that_meets_it_is_not() -> None:
    for length, kept in ((VALUE_MAX, VALUE_MAX), (VALUE_MAX + 1, VALUE_MAX)):
        (entity,) = with_roles([Entity("url", "x" * length)], [])
        assert len(entity.value) == kept


def test_entities_come_once_and_in_one_order() -> None:
    some = [Entity("user", "b"), Entity("ip", "192.0.2.1"), Entity("user", "b")]
    assert with_roles(some, []) == with_roles(reversed(some), [])
    assert len(with_roles(some, [])) == 2
