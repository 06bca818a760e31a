"""JSON as `to_dict` of the services has it, without another walk over it."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response

__all__ = ["JsonAnswer"]


class JsonAnswer(Response):
    """An answer of plain values."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes."""
        return orjson.dumps(content)
