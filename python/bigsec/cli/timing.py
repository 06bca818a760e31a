"""Times as people read them: in one zone, with its offset written beside."""

from __future__ import annotations

from datetime import datetime, tzinfo

_FORM = "%Y-%m-%d %H:%M:%S"


def shown(moment: datetime, zone: tzinfo) -> str:
    """`2026-11-24 20:12:03 +08:00`."""
    local = moment.astimezone(zone)
    offset = local.strftime("%z")
    return f"{local.strftime(_FORM)} {offset[:3]}:{offset[3:5]}"


def span(first: datetime, last: datetime, zone: tzinfo) -> str:
    """From first to last, without saying the same day twice."""
    start, end = first.astimezone(zone), last.astimezone(zone)
    if start.replace(microsecond=0) == end.replace(microsecond=0):
        return shown(first, zone)
    begin = start.strftime(_FORM)
    if start.date() == end.date():
        return f"{begin} – {end.strftime('%H:%M:%S')} {shown(last, zone)[-6:]}"
    return f"{begin} – {shown(last, zone)}"
