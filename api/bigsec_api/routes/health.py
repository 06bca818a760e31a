"""Whether the store can be read, and how much is in it."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bigsec import __version__
from bigsec.detect import summary
from bigsec_api.deps import LoadedRules, OpenStore
from bigsec_api.document import PROBLEMS, example, found
from bigsec_api.json_answer import JsonAnswer
from bigsec_api.measures import MEDIA_TYPE, Measures
from bigsec_api.models import Health

router = APIRouter(tags=["health"], responses=PROBLEMS)

_METRICS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": example("metrics")}},
    }
}


@router.get("/health", responses=found(Health, "health"), response_class=JsonAnswer)
def health(store: OpenStore) -> JsonAnswer:
    """The version, and the store in numbers."""
    numbers = summary(store).to_dict()
    return JsonAnswer({"status": "ok", "version": __version__, "store": numbers})


@router.get("/metrics", responses=_METRICS, response_class=Response)
def metrics(request: Request, store: OpenStore, rules: LoadedRules) -> Response:
    """The store and the server in numbers, for Prometheus."""
    measures: Measures = request.app.state.measures
    loaded = rules.loaded
    body = measures.text(summary(store), None if loaded is None else len(loaded))
    return Response(body, media_type=MEDIA_TYPE)
