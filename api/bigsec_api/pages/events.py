"""The search page: every event of the lake, by a filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from bigsec import Batch
from bigsec.errors import QueryError
from bigsec_api.deps import OpenLake, ServedLake
from bigsec_api.views.event_search import SearchState, SearchView, bars, found, step_for
from bigsec_api.views.filters import WrongTime
from bigsec_api.views.frame import Frame, render

router = APIRouter()

MOST = 1_000


@router.get("/events")
def events(request: Request, lake: OpenLake) -> Response:
    """The page."""
    state = SearchState.of(request.query_params)
    try:
        view = _search(lake, state, Frame.of(request))
    except WrongTime as wrong:
        view = SearchView(state, wrong_time=wrong.given)
    except QueryError as error:
        (problem, *_) = error.problems
        view = SearchView(state, problem=(error.message, problem.mend))
    status = 200 if view.wrong_time is None and view.problem is None else 422
    return render(request, "events/search.html", view, status=status)


def _search(served: ServedLake, state: SearchState, frame: Frame) -> SearchView:
    lake, now = served.open(), datetime.now(UTC)
    span = state.span(now, frame.clock)
    batches = lake.query(state.q, limit=state.limit, **span)
    shown = tuple(found(event) for one in batches for event in Batch(one).to_pylist())
    if not shown:
        return SearchView(state)
    days = lake.histogram(state.q, seconds=86_400, **span)
    first = span["since"] or days[0].start
    last = span["until"] or days[-1].start + timedelta(days=1)
    step = step_for(max(first, days[0].start), last)
    counted = [(one.start, one.count) for one in lake.histogram(state.q, seconds=step, **span)]
    total = sum(count for _, count in counted)
    more = state.link(limit=str(min(state.limit * 4, MOST)))
    return SearchView(
        state,
        events=shown,
        total=total,
        bars=bars(counted, step, state),
        step=step,
        more=more if total > len(shown) and state.limit < MOST else None,
    )
