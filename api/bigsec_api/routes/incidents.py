"""Incidents, read only."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from bigsec.detect import get_incident
from bigsec_api.deps import OpenStore
from bigsec_api.document import PROBLEMS, found
from bigsec_api.json_answer import JsonAnswer
from bigsec_api.lists import incident_page, page_dict
from bigsec_api.models import IncidentList, IncidentWhole
from bigsec_api.queries import IncidentQuery

router = APIRouter(
    prefix="/incidents", tags=["incidents"], responses=PROBLEMS, default_response_class=JsonAnswer
)

Reference = Annotated[
    str,
    Path(max_length=100, description="Id, number (2026-000123) or unique beginning of the id."),
]
SignalsMax = Annotated[int, Query(ge=1, le=1000, description="Signals in the answer.")]
EvidenceMax = Annotated[int, Query(ge=1, le=1000, description="Events in the answer.")]


@router.get("", responses=found(IncidentList, "incidents"))
def incidents(store: OpenStore, query: Annotated[IncidentQuery, Query()]) -> JsonAnswer:
    """One page of incidents; `next` is the cursor of the page that follows."""
    page = incident_page(store, query)
    return JsonAnswer(page_dict("incidents", list(page.incidents), page))


@router.get("/{reference}", responses=found(IncidentWhole, "incident"))
def incident(
    store: OpenStore, reference: Reference, signals: SignalsMax = 1000, evidence: EvidenceMax = 100
) -> JsonAnswer:
    """An incident with its signals, timeline, entities, events and raw lines."""
    whole = get_incident(store, reference, signals_max=signals, evidence_max=evidence)
    return JsonAnswer(whole.to_dict())
