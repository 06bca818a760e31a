"""Community ID, version 1: one name for a flow, whichever sensor saw it and from whichever side.

Source: the specification at github.com/corelight/community-id-spec. Zeek and Suricata write the
same value, so that their records of one connection can be joined.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from ipaddress import ip_address

ICMP, TCP, UDP, ICMP6, SCTP = 1, 6, 17, 58, 132
_WITH_PORTS = frozenset((ICMP, TCP, UDP, ICMP6, SCTP))
# ICMP types that answer each other, and so make one flow with two sides.
_ICMP_ANSWERS = {8: 0, 13: 14, 15: 16, 17: 18, 10: 9}
_ICMP_PAIRS = _ICMP_ANSWERS | {reply: request for request, reply in _ICMP_ANSWERS.items()}
_ICMP6_ANSWERS = {128: 129, 133: 134, 135: 136, 130: 131, 144: 145, 139: 140}
_ICMP6_PAIRS = _ICMP6_ANSWERS | {reply: request for request, reply in _ICMP6_ANSWERS.items()}
_MAX_PORT, _MAX_PROTOCOL = 0xFFFF, 0xFF


def community_id(
    source_ip: str,
    destination_ip: str,
    protocol: int,
    source_port: int | None = None,
    destination_port: int | None = None,
    *,
    seed: int = 0,
) -> str:
    """The flow's id, such as `1:wCb3OG7yAFWelaUydu0D+125CLM=`.

    protocol: IANA's number (6 is TCP). Ports are needed for TCP, UDP and SCTP; for ICMP they are
    its type and code. seed: 0 to 65535, to keep the ids of separate networks apart.
    Raises ValueError where an address or number is not one, the address families differ, or the
    ports are missing.
    """
    source, destination = ip_address(source_ip), ip_address(destination_ip)
    if source.version != destination.version:
        raise ValueError(f"{source_ip} and {destination_ip} are of two address families")
    _within("protocol", protocol, _MAX_PROTOCOL)
    _within("seed", seed, _MAX_PORT)
    ports: tuple[int, int] | None = None
    one_way = False
    if protocol in _WITH_PORTS:
        if source_port is None or destination_port is None:
            raise ValueError(f"protocol {protocol} needs both ports")
        _within("source_port", source_port, _MAX_PORT)
        _within("destination_port", destination_port, _MAX_PORT)
        ports, one_way = _ports(protocol, source_port, destination_port)
    ends = (source.packed, destination.packed)
    if not one_way and (ends, ports or ()) > (ends[::-1], (ports or ())[::-1]):
        ends, ports = ends[::-1], ports and ports[::-1]
    hashed = hashlib.sha1(struct.pack("!H", seed), usedforsecurity=False)
    hashed.update(ends[0] + ends[1] + struct.pack("!BB", protocol, 0))
    if ports is not None:
        hashed.update(struct.pack("!HH", *ports))
    return "1:" + base64.b64encode(hashed.digest()).decode("ascii")


def _ports(protocol: int, source: int, destination: int) -> tuple[tuple[int, int], bool]:
    """The two numbers of the flow's ends, and whether it has but one direction."""
    pairs = {ICMP: _ICMP_PAIRS, ICMP6: _ICMP6_PAIRS}.get(protocol)
    if pairs is None:
        return (source, destination), False
    if source in pairs:
        return (source, pairs[source]), False
    return (source, destination), True


def _within(name: str, number: int, most: int) -> None:
    if not 0 <= number <= most:
        raise ValueError(f"{name} is {number}, not 0 to {most}")
