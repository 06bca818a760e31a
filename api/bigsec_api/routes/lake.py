"""Searches through every event, read only: the lake."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from bigsec import Batch
from bigsec_api.deps import OpenLake
from bigsec_api.document import PROBLEMS, found
from bigsec_api.json_answer import JsonAnswer
from bigsec_api.models import FoundEvents, Histogram, TopValues
from bigsec_api.queries import HistogramQuery, SearchQuery, TopQuery

router = APIRouter(
    prefix="/events", tags=["events"], responses=PROBLEMS, default_response_class=JsonAnswer
)


@router.get("/search", responses=found(FoundEvents, "search"))
def search(lake: OpenLake, query: Annotated[SearchQuery, Query()]) -> JsonAnswer:
    """Events of the lake that a filter takes, latest first."""
    batches = lake.open().query(query.filter, limit=query.limit, **query.span)
    return JsonAnswer({"events": [event for one in batches for event in Batch(one).to_pylist()]})


@router.get("/histogram", responses=found(Histogram, "histogram"))
def histogram(lake: OpenLake, query: Annotated[HistogramQuery, Query()]) -> JsonAnswer:
    """How many events over time."""
    buckets = lake.open().histogram(query.filter, seconds=query.seconds, **query.span)
    counted = [{"start": one.start, "count": one.count} for one in buckets]
    return JsonAnswer({"seconds": query.seconds, "buckets": counted})


@router.get("/top", responses=found(TopValues, "top"))
def top(lake: OpenLake, query: Annotated[TopQuery, Query()]) -> JsonAnswer:
    """The most frequent values of a column."""
    values = lake.open().top(query.column, query.filter, limit=query.limit, **query.span)
    counted = [{"value": one.plain, "count": one.count} for one in values]
    return JsonAnswer({"column": query.column, "values": counted})
