"""Community ids are those of other readers of the specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigsec import community_id

TCP, UDP, ICMP, ICMP6, SCTP, RSVP = 6, 17, 1, 58, 132, 46
V4, V6 = ("192.0.2.7", "198.51.100.9"), ("2001:db8::1", "2001:db8::2")
# As the specification's own library gives them.
KNOWN = [
    (V4, TCP, 34855, 80, "1:sbrzBL291fBZdMvUzA/ME0RO6zM="),
    (V6, UDP, 53, 53000, "1:pLtHdNSYbfNMPgkXui6xsqkvjbM="),
    (V4, ICMP, 8, 0, "1:gGfV9Ki7KLTaADVjDLdEQdIYPYA="),
    (V4, ICMP, 3, 1, "1:hsw4KrU6ZxloYeYo684v+W/Jt1k="),
    (V6, ICMP6, 135, 0, "1:R9HBIi387RnKhKUU53rFlnl803U="),
    (V4, SCTP, 80, 80, "1:vg8D+DUiQXIc5eGlbRVrcvksdng="),
    (("1.2.3.4", "5.6.7.8"), RSVP, None, None, "1:ikv3kmf89luf73WPz1jOs49S768="),
]
PORTS = st.integers(0, 0xFFFF)


@pytest.mark.parametrize(("ends", "protocol", "source", "destination", "expected"), KNOWN)
def test_known_flows(
    ends: tuple[str, str],
    protocol: int,
    source: int | None,
    destination: int | None,
    expected: str,
) -> None:
    assert community_id(*ends, protocol, source, destination) == expected


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), PORTS, PORTS, st.sampled_from((TCP, UDP, SCTP)))
def test_both_sides_of_a_flow_have_one_id(
    source: object, destination: object, source_port: int, destination_port: int, protocol: int
) -> None:
    there = community_id(str(source), str(destination), protocol, source_port, destination_port)
    back = community_id(str(destination), str(source), protocol, destination_port, source_port)
    assert there == back


def test_an_echo_and_its_reply_are_one_flow_and_a_seed_tells_networks_apart() -> None:
    request = community_id(*V4, ICMP, 8, 0)
    assert request == community_id(*V4[::-1], ICMP, 0, 8)
    assert request != community_id(*V4, ICMP, 8, 0, seed=1)
    # An error has no other side.
    assert community_id(*V4, ICMP, 3, 1) != community_id(*V4[::-1], ICMP, 3, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("192.0.2.7", "2001:db8::1", TCP, 1, 2), "two address families"),
        (("192.0.2", "192.0.2.7", TCP, 1, 2), "192.0.2"),
        ((*V4, TCP), "needs both ports"),
        ((*V4, TCP, 1, 65536), "destination_port is 65536"),
        ((*V4, 256, 1, 2), "protocol is 256"),
    ],
)
def test_what_is_no_flow_is_refused(arguments: tuple[object, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        community_id(*arguments)  # type: ignore[arg-type]
