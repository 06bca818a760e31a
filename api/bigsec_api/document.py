"""The OpenAPI document: examples, the error body, and how requests are authorised.

Examples are invented; addresses are from the ranges for documentation.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from bigsec_api.models import Problem

__all__ = ["PROBLEMS", "describe", "example", "found"]

_ABOUT: Final = """\
Incidents, events and rules of one store, read only. `events/search`, `histogram` and `top` look
through every event, where a lake is served.

Lists are paged by `limit` and `after`; `after` takes the `next` of the page before. Times are ISO
8601; a time without a zone is UTC. Every error is `application/problem+json` with a code that the
documentation explains. While no token was made, only this machine may read; afterwards send
`Authorization: Bearer …` with a token of `bigsec token create`.
"""

_MEANINGS: Final = {
    400: "The cursor or a filter does not fit.",
    401: "No token that holds.",
    404: "Nothing has the id asked for.",
    413: "A request that reads has no body.",
    414: "The address is too long.",
    421: "Meant for another host, or through a proxy, while no token exists.",
    422: "A parameter is not what it should be, or is unknown.",
    500: "A defect of bigsec.",
    503: "The store cannot be read now, or the answer takes too long.",
}


@cache
def _examples() -> dict[str, Any]:
    text = files("bigsec_api").joinpath("examples.json").read_text(encoding="utf-8")
    examples: dict[str, Any] = json.loads(text)
    return examples


def example(name: str) -> Any:
    """The example of an answer."""
    return _examples()[name]


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {"schema": schema, "example": _examples()["problem"] | {"status": status}}
    return {
        "description": _MEANINGS[status],
        "content": {"application/problem+json": content},
    }


PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: _problem(status) for status in _MEANINGS
}
"""What any route may answer instead."""


def found(shape: type[BaseModel], name: str) -> dict[int | str, dict[str, Any]]:
    """The good answer of a route, with its example."""
    return {200: {"model": shape, "content": {"application/json": {"example": example(name)}}}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=_ABOUT, routes=app.routes
        )
        parts = made.setdefault("components", {})
        schemas = parts.setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{}, {"token": []}]
        app.openapi_schema = made
    return app.openapi_schema
