"""The events that signals speak of, read only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from bigsec.detect import get_event
from bigsec_api.deps import OpenStore
from bigsec_api.document import PROBLEMS, found
from bigsec_api.json_answer import JsonAnswer
from bigsec_api.lists import event_page, page_dict
from bigsec_api.models import EventList, EventWhole
from bigsec_api.queries import EventQuery

router = APIRouter(
    prefix="/events", tags=["events"], responses=PROBLEMS, default_response_class=JsonAnswer
)


@router.get("", responses=found(EventList, "events"))
def events(store: OpenStore, query: Annotated[EventQuery, Query()]) -> JsonAnswer:
    """One page of stored events, latest first. Events that no signal speaks of are not stored."""
    page = event_page(store, query)
    return JsonAnswer(page_dict("events", list(page.events), page))


@router.get("/{event_id}", responses=found(EventWhole, "event"))
def event(
    store: OpenStore,
    event_id: Annotated[str, Path(max_length=100, description="32 hexadecimal digits.")],
) -> JsonAnswer:
    """An event with its raw line and the signals that speak of it."""
    return JsonAnswer(get_event(store, event_id).to_dict())
