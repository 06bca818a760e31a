"""Incidents, read only."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from bigsec.detect import IncidentFilter, Level, get_incident, list_incidents
from bigsec.detect.model import Order
from bigsec.errors import BigsecError
from bigsec_api.deps import OpenStore
from bigsec_api.errors import ProblemBody

router = APIRouter(prefix="/incidents", tags=["incidents"])


@router.get("", responses={400: {"model": ProblemBody}, 503: {"model": ProblemBody}})
def incidents(
    store: OpenStore,
    *,
    level: Level | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    text: Annotated[str | None, Query(max_length=200)] = None,
    source: Annotated[str | None, Query(max_length=500)] = None,
    entity: Annotated[str | None, Query(max_length=500)] = None,
    order: Order = "level",
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    after: Annotated[str | None, Query(max_length=500)] = None,
) -> dict[str, Any]:
    """One page of incidents; `next` is the cursor of the page that follows."""
    where = IncidentFilter(
        level=level, since=since, until=until, text=text, source=source, entity=entity
    )
    try:
        page = list_incidents(store, where, limit=limit, after=after, order=order)
    except ValueError as error:
        raise BigsecError("BS4001", "usage", str(error)) from error
    return {
        "incidents": [incident.to_dict() for incident in page.incidents],
        "next": page.next,
        "total": page.total,
        "total_exact": page.total_exact,
    }


@router.get("/{reference}", responses={404: {"model": ProblemBody}, 503: {"model": ProblemBody}})
def incident(store: OpenStore, reference: str) -> dict[str, Any]:
    """An incident by id, number or unique beginning of its id, with its signals and raw lines."""
    return get_incident(store, reference).to_dict()
