"""What every section of the configuration has in common."""

from __future__ import annotations

import re
import zoneinfo
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

__all__ = ["GIB", "KIB", "MIB", "Address", "FilePath", "Section", "WebAddress", "Zone"]

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

_ADDRESS: Final = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})")
_OFFSET: Final = re.compile(r"[+-](?:0\d|1[0-4]):[0-5]\d")
_URL: Final = re.compile(r"https?://([^/?#]+)(?:[/?][^\s#]*)?")


class Section(BaseModel):
    """A table of the configuration: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


def _address(value: str) -> str:
    found = _ADDRESS.fullmatch(value)
    if found is None or int(found[1]) > 65_535:
        raise ValueError("an address and a port, such as 127.0.0.1:514 or [::1]:514")
    return value


def _url(value: str) -> str:
    found = _URL.fullmatch(value)
    if found is None:
        raise ValueError("an address that begins with https:// or http://")
    if "@" in found[1]:
        raise ValueError("no user or password in an address; name a file by token_file")
    return value


def _path(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("the path of a file")
    return value


def _zone(value: str) -> str:
    if _OFFSET.fullmatch(value):
        return value
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("an IANA name such as Asia/Shanghai, or an offset: +08:00") from None
    return value


Address = Annotated[str, AfterValidator(_address)]
"""Address and port."""
WebAddress = Annotated[str, AfterValidator(_url)]
"""A URL without a secret in it."""
FilePath = Annotated[str, AfterValidator(_path)]
"""The path of a file; the file is looked at when it is needed."""
Zone = Annotated[str, AfterValidator(_zone)]
"""A time zone."""
