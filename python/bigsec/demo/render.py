"""How each kind of device writes a line. All clocks run in UTC."""

from __future__ import annotations

import json
from datetime import datetime

from bigsec.demo.estate import Host

SYSMON = "Microsoft-Windows-Sysmon/Operational"
_PROVIDERS = {
    SYSMON: "Microsoft-Windows-Sysmon",
    "Security": "Microsoft-Windows-Security-Auditing",
    "System": "Service Control Manager",
}
DNS_HEADER = (
    "#separator \\x09",
    "#set_separator\t,",
    "#empty_field\t(empty)",
    "#unset_field\t-",
    "#path\tdns",
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype_name"
    "\trcode_name\tanswers",
    "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tstring\tstring\tvector[string]",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def syslog(at: datetime, host: Host, program: str, message: str, pid: int | None = None) -> str:
    """A line of RFC 3164 as rsyslog writes it to a file: no year, no zone, no priority."""
    tag = program if pid is None else f"{program}[{pid}]"
    return f"{_MONTHS[at.month - 1]} {at.day:2d} {at:%H:%M:%S} {host.name} {tag}: {message}"


def history(uid: int, command: str) -> tuple[str, str]:
    """Program and message of a shell that is set up to log each command."""
    return "bash", f"HISTORY: UID={uid} {command}"


def access(
    at: datetime,
    client: str,
    request: str,
    status: int,
    size: int,
    agent: str,
    referrer: str = "-",
) -> str:
    """A line of the combined format of Apache and nginx."""
    when = f"{at.day:02d}/{_MONTHS[at.month - 1]}/{at.year}:{at:%H:%M:%S} +0000"
    return f'{client} - - [{when}] "{request}" {status} {size} "{referrer}" "{agent}"'


def windows(
    at: datetime,
    host: Host,
    channel: str,
    event_id: int,
    data: dict[str, object],
    provider: str | None = None,
) -> str:
    """A Windows event as one flat object: the system's fields, then those of the event's data."""
    head: dict[str, object] = {
        "EventID": event_id,
        "Channel": channel,
        "Computer": host.fqdn,
        "Provider_Name": provider or _PROVIDERS[channel],
        "SystemTime": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}Z",
        "Level": 4 if channel == SYSMON else 0,
    }
    if channel == SYSMON:
        head["UtcTime"] = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
    return json.dumps(head | data, ensure_ascii=False)


def dns(
    at: datetime,
    source: tuple[str, int],
    resolver: str,
    name: str,
    answer: str,
    kind: str = "A",
) -> str:
    """A line of Zeek's dns.log with tabs."""
    seconds, port = int(at.timestamp()), source[1]
    uid = f"C{seconds:x}{port:x}"
    rcode = "NXDOMAIN" if answer == "-" else "NOERROR"
    head = f"{seconds}.{at.microsecond:06d}\t{uid}\t{source[0]}\t{port}\t{resolver}\t53\tudp"
    return f"{head}\t{name}\t{kind}\t{rcode}\t{answer}"


def eve(
    at: datetime, kind: str, source: tuple[str, int], target: tuple[str, int], **more: object
) -> str:
    """An event of Suricata's EVE output."""
    head: dict[str, object] = {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}+0000",
        "flow_id": int(at.timestamp()) * 100_000 + source[1],
        "in_iface": "eth1",
        "event_type": kind,
        "src_ip": source[0],
        "src_port": source[1],
        "dest_ip": target[0],
        "dest_port": target[1],
        "proto": "UDP" if kind == "dns" else "TCP",
    }
    return json.dumps(head | more, ensure_ascii=False)
