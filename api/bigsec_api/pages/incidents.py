"""The incident list and the page of an incident, each with its `.json` twin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from bigsec.detect import get_incident, level_counts
from bigsec.errors import BigsecError
from bigsec.store import Store
from bigsec_api.deps import OpenStore
from bigsec_api.json_answer import JsonAnswer
from bigsec_api.lists import incident_page, page_dict
from bigsec_api.views.filters import ListState, WrongTime
from bigsec_api.views.frame import Frame, render
from bigsec_api.views.incident_list import ListView, tabs
from bigsec_api.views.incident_view import EVIDENCE_SHOWN, SIGNALS_MAX, IncidentView

router = APIRouter()

Reference = Annotated[str, Path(max_length=100)]
EvidenceMax = Annotated[int, Query(ge=1, le=1000)]


@router.get("/")
def first_page() -> Response:
    """The incident list, until there is a page of one's own."""
    return RedirectResponse("/incidents", 307)


@router.get("/incidents.json")
def incidents_json(request: Request, store: OpenStore) -> Response:
    """The list as the page has it, for programs."""
    state = ListState.of(request.query_params)
    try:
        query = state.query(datetime.now(UTC), Frame.of(request).clock)
    except WrongTime as wrong:
        raise BigsecError("BS4001", "usage", f"not a time: {wrong.given!r}") from wrong
    page = incident_page(store, query)
    return JsonAnswer(page_dict("incidents", list(page.incidents), page))


@router.get("/incidents")
def incidents(request: Request, store: OpenStore) -> Response:
    """The list."""
    state = ListState.of(request.query_params)
    try:
        view = _list(store, state, Frame.of(request))
    except WrongTime as wrong:
        view = ListView(state, tabs=tabs(state, None), wrong_time=wrong.given)
        return render(request, "incidents/list.html", view, status=422)
    # A script that sent the form shows the address that a link to this list would have.
    headers = {"HX-Push-Url": state.link(after=state.after)} if _by_script(request) else {}
    return render(request, "incidents/list.html", view, headers=headers)


def _by_script(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _list(store: Store, state: ListState, frame: Frame) -> ListView:
    page = incident_page(store, state.query(datetime.now(UTC), frame.clock))
    counts = None if state.is_filtered else level_counts(store)
    return ListView(
        state,
        incidents=page.incidents,
        total=page.total,
        total_exact=page.total_exact,
        silenced=page.silenced,
        next_link=None if page.next is None else state.link(after=page.next),
        tabs=tabs(state, counts),
    )


@router.get("/incidents/{reference}.json")
def incident_json(store: OpenStore, reference: Reference) -> Response:
    """One incident, for programs."""
    return JsonAnswer(get_incident(store, reference).to_dict())


@router.get("/incidents/{reference}")
def incident(
    request: Request,
    store: OpenStore,
    reference: Reference,
    evidence: EvidenceMax = EVIDENCE_SHOWN,
) -> Response:
    """The page of one incident."""
    found = get_incident(store, reference, signals_max=SIGNALS_MAX, evidence_max=evidence)
    view = IncidentView(found, evidence_max=evidence)
    return render(request, "incidents/incident.html", view)
