"""Errors as problem+json (RFC 9457) with the same codes that the command line shows."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from bigsec.errors import BigsecError, NotFoundError, StoreError

__all__ = ["ProblemBody", "add_error_handlers"]

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[BigsecError], int], ...] = (
    (NotFoundError, 404),
    (StoreError, 503),
    (BigsecError, 400),
)


class ProblemBody(BaseModel):
    """The one body of every error."""

    type: str
    title: str
    status: int
    detail: str
    code: str


def _answer(status: int, code: str, title: str, detail: str) -> JSONResponse:
    body = ProblemBody(
        type=f"urn:bigsec:{code}", title=title, status=status, detail=detail, code=code
    )
    return JSONResponse(body.model_dump(), status, media_type=MEDIA_TYPE)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    failure = cast("BigsecError", error)
    status = next(status for kind, status in _STATUS if isinstance(failure, kind))
    return _answer(status, failure.code, failure.name, failure.message)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    first = cast("RequestValidationError", error).errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return _answer(422, "BS4001", "usage", f"{where}: {first['msg']}")


def add_error_handlers(app: FastAPI) -> None:
    """Give every error of the application the one body."""
    app.add_exception_handler(BigsecError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
