"""Small forms, read within bounds."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, Request

from bigsec_api import codes, settings
from bigsec_api.errors import Refused

__all__ = ["Form", "local_path"]

_FIELDS_MAX = 20


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > settings.FORM_BYTES_MAX:
            detail = f"The form has more than {settings.FORM_BYTES_MAX} bytes."
            raise Refused(413, codes.TOO_LARGE, detail)
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=_FIELDS_MAX))
    except ValueError:
        raise Refused(400, codes.TOO_LARGE, "The form cannot be read.") from None


Form = Annotated[dict[str, str], Depends(_form)]
"""The fields of a form, the last of each name."""


def local_path(given: str) -> str:
    """A path of this server to go on to; the first page where what was given is none."""
    parts = urlsplit(given)
    inside = given.startswith("/") and not given.startswith("//") and "\\" not in given
    if not inside or parts.scheme or parts.netloc or not given.isprintable():
        return "/incidents"
    return given
