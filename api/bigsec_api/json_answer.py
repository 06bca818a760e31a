"""JSON as `to_dict` of the services has it, without another walk over it."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import JSONResponse

__all__ = ["JsonAnswer"]


class JsonAnswer(JSONResponse):
    """An answer of plain values."""

    def render(self, content: Any) -> bytes:
        """The bytes."""
        return orjson.dumps(content)
