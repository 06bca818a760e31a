"""The invented data centre: its hosts, people and neighbours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Host:
    """A machine."""

    name: str
    ip: str

    @property
    def fqdn(self) -> str:
        """The name that Windows events carry."""
        return f"{self.name}.corp.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone with an account, at a workstation."""

    login: str
    name: str
    desk: Host
    uid: int


BASTION = Host("bastion-01", "10.20.0.5")
WEB = Host("web-01", "10.20.1.11")
OFFICE = Host("oa-01", "10.20.1.31")
DATABASE = Host("db-01", "10.20.2.21")
DOMAIN = Host("dc-01", "10.20.3.2")
FILES = Host("fs-01", "10.20.3.5")
RESOLVER = Host("dns-01", "10.20.0.53")
SERVERS = (BASTION, WEB, OFFICE, DATABASE)
"""Those that run Linux."""

LI = Person("li.jing", "李静", Host("ws-011", "10.30.4.11"), 1101)
WANG = Person("wang.fang", "王芳", Host("ws-012", "10.30.4.12"), 1102)
CHEN = Person("chen.hao", "陈浩", Host("ws-017", "10.30.4.17"), 1103)
ZHAO = Person("zhao.min", "赵敏", Host("ws-021", "10.30.4.21"), 1104)
STAFF = (LI, WANG, CHEN, ZHAO)

LIU = Person("ops.liu", "刘洋", Host("ws-002", "10.30.1.2"), 1001)
SUN = Person("ops.sun", "孙磊", Host("ws-003", "10.30.1.3"), 1002)
ADMINISTRATORS = (LIU, SUN)
# On loan for three weeks, with more rights than the task needs.
ZHOU = Person("temp.zhou", "周凯", Host("ws-044", "10.30.4.44"), 1901)

GUESSER = "203.0.113.66"
WORM = "203.0.113.71"
POOL = "203.0.113.72"
INTRUDER = "198.51.100.23"
DELIVERY = "203.0.113.80"
DROP = "203.0.113.90"
VISITORS = tuple(f"192.0.2.{last}" for last in range(10, 90))
"""Addresses from which people read the public pages."""
BOTS = ("192.0.2.201", "192.0.2.214", "192.0.2.230")
"""Addresses that ask every server of the world for the same pages."""
