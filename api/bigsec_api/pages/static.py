"""The few files beside the pages: read once, told by their names alone."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bigsec_api.views.frame import static

router = APIRouter()

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}


@router.get("/static/{name}")
def file(name: str) -> Response:
    """One file. Its address carries a hash of it, so a browser may keep it for ever."""
    kind = _TYPES.get(name.rpartition(".")[2])
    content = static().get(name)
    if kind is None or content is None:
        raise HTTPException(404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=kind, headers=headers)
