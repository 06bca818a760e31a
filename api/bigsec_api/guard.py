"""What happens to every request before and after the application: limits, origin, headers.

Plain ASGI, so that nothing inside can forget it, and so that the answer to a defect has the same
headers as every other.
"""

from __future__ import annotations

import secrets
import time
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bigsec_api import codes, settings
from bigsec_api.errors import Refused, answer, defect
from bigsec_api.measures import Measures

__all__ = ["Guard"]

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_PAGE_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With `no-referrer` a browser would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Robots-Tag": "noindex, nofollow",
}


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app = app
        self._measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = secrets.token_hex(8)
        begun = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), scope["request_id"])
            await send(message)

        try:
            await self._serve(scope, receive, send_with_headers)
        except Exception as error:  # the request's boundary: a defect is answered, and logged
            if status:
                raise
            response = defect(Request(scope), error)
            await response(scope, receive, send_with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._measures.observe(route, scope["method"], status, time.perf_counter() - begun)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            _check(scope, request.headers)
        except Refused as refused:
            response = _answer_to(request, refused)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _answer_to(request: Request, refused: Refused) -> Response:
    code = refused.code
    return answer(
        request, refused.status, code.number, code.name, refused.detail, headers=refused.headers
    )


def _check(scope: Scope, headers: Headers) -> None:
    query: bytes = scope["query_string"]
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    if len(path) + len(query) > settings.URL_BYTES_MAX:
        detail = f"The address has more than {settings.URL_BYTES_MAX} bytes."
        raise Refused(414, codes.TOO_LARGE, detail)
    if query.count(b"&") >= settings.PARAMETERS_MAX:
        detail = f"The query has more than {settings.PARAMETERS_MAX} parameters."
        raise Refused(414, codes.TOO_LARGE, detail)
    if scope["method"] in _SAFE:
        if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            raise Refused(413, codes.TOO_LARGE, "A request that reads has no body.")
    else:
        _check_origin(scope, headers)


def _check_origin(scope: Scope, headers: Headers) -> None:
    """Refuse what another site makes a browser send.

    Browsers say where a request comes from in `Sec-Fetch-Site` (only to HTTPS and this machine) or
    in `Origin`; a request that says neither is refused.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
    elif origin := headers.get("origin"):
        parts = urlsplit(origin)
        if parts.scheme == scope["scheme"] and parts.netloc == headers.get("host"):
            return
    raise Refused(403, codes.FOREIGN, "The request does not come from a page of this server.")


def _add_headers(headers: MutableHeaders, request_id: str) -> None:
    is_page = headers.get("content-type", "").startswith("text/html")
    headers["Content-Security-Policy"] = _PAGE_POLICY if is_page else _DATA_POLICY
    headers["X-Request-ID"] = request_id
    headers.setdefault("Cache-Control", "no-store")
    for name, value in _ALWAYS.items():
        headers[name] = value
