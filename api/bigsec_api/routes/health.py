"""Whether the store can be read, and how much is in it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from bigsec import __version__
from bigsec.detect import summary
from bigsec_api.deps import OpenStore
from bigsec_api.errors import ProblemBody

router = APIRouter(tags=["health"])


@router.get("/health", responses={503: {"model": ProblemBody}})
def health(store: OpenStore) -> dict[str, Any]:
    """The version and the store in numbers."""
    return {"status": "ok", "version": __version__, "store": summary(store).to_dict()}
