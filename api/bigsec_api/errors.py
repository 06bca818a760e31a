"""Errors as problem+json (RFC 9457) with the same codes that the command line shows.

A page gets the same body as HTML. What stands in the log may say more than what the client is
told: a fault of the store names its path in the log alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from bigsec.errors import (
    BigsecError,
    LakeError,
    NotFoundError,
    StoreError,
    StoreLockedError,
)
from bigsec.store import is_overdue
from bigsec_api import codes
from bigsec_api.codes import Code
from bigsec_api.models import Problem
from bigsec_api.views.error_page import error_page

__all__ = ["MEDIA_TYPE", "LoginNeeded", "Refused", "add_error_handlers", "answer", "defect"]

MEDIA_TYPE: Final = "application/problem+json"
log = logging.getLogger("bigsec.api")

_STATUS: tuple[tuple[type[BigsecError], int], ...] = (
    (NotFoundError, 404),
    (StoreLockedError, 503),
    (StoreError, 503),
    (LakeError, 503),
    (BigsecError, 400),
)
_OF_HTTP: Final[dict[int, Code]] = {404: codes.NO_PAGE, 405: codes.METHOD}


class Refused(Exception):
    """A request that is turned away before any service is asked."""

    def __init__(
        self,
        status: int,
        code: Code,
        detail: str,
        *,
        mend: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code, detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.mend = mend
        self.headers = dict(headers or {})


class LoginNeeded(Exception):
    """A page that is shown after a log-in."""


def wants_page(path: str) -> bool:
    """Whether a person asked, and not a program."""
    return not path.startswith(("/api/", "/static/")) and not path.endswith(".json")


def answer(
    request: Request,
    status: int,
    number: str,
    name: str,
    detail: str,
    *,
    mend: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The one body of every error, as JSON or as a page."""
    problem = Problem(
        type=f"urn:bigsec:{number}",
        title=codes.about(number),
        status=status,
        detail=detail,
        code=number,
        name=name,
        request_id=request.scope.get("request_id", ""),
        mend=mend or None,
    )
    if wants_page(request.url.path):
        return error_page(request, problem, headers)
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def defect(request: Request, error: Exception) -> Response:
    """The answer to a defect of ours, which is logged whole."""
    log.error("request %s failed", request.scope.get("request_id"), exc_info=error)
    code = codes.DEFECT
    return answer(request, 500, code.number, code.name, "The request met a defect of bigsec.")


async def _failed(request: Request, error: Exception) -> Response:
    failure = cast("BigsecError", error)
    status = next(status for kind, status in _STATUS if isinstance(failure, kind))
    detail, mend = failure.message, next((one.mend for one in failure.problems if one.mend), "")
    if status >= 500:
        log.warning("request %s: %s", request.scope.get("request_id"), failure)
        detail, mend = codes.about(failure.code), ""
    return answer(request, status, failure.code, failure.name, detail, mend=mend)


async def _refused(request: Request, error: Exception) -> Response:
    refused = cast("Refused", error)
    code = refused.code
    return answer(
        request,
        refused.status,
        code.number,
        code.name,
        refused.detail,
        mend=refused.mend,
        headers=refused.headers,
    )


async def _invalid(request: Request, error: Exception) -> Response:
    first = cast("RequestValidationError | ValidationError", error).errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return answer(request, 422, "BS4001", "usage", f"{where[:200]}: {first['msg'][:500]}")


async def _http(request: Request, error: Exception) -> Response:
    fault = cast("HTTPException", error)
    code = _OF_HTTP.get(fault.status_code, codes.NO_PAGE)
    return answer(
        request, fault.status_code, code.number, code.name, code.about, headers=fault.headers
    )


async def _database(request: Request, error: Exception) -> Response:
    if not is_overdue(error):
        return defect(request, error)
    code = codes.TOO_SLOW
    return answer(request, 503, code.number, code.name, code.about, headers={"Retry-After": "30"})


async def _login(request: Request, _error: Exception) -> Response:
    path = request.url.path
    wanted = f"{path}?{request.url.query}" if request.url.query else path
    return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)


def add_error_handlers(app: FastAPI) -> None:
    """Give every error of the application the one body."""
    app.add_exception_handler(BigsecError, _failed)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(LoginNeeded, _login)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)
