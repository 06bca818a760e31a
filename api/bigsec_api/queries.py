"""The parameters of lists, as the API and the pages take them. Unknown ones are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bigsec.detect import EventFilter, IncidentFilter, Level
from bigsec.detect.model import Order
from bigsec.detect.signal import Result

__all__ = ["EventQuery", "HistogramQuery", "IncidentQuery", "RuleQuery", "SearchQuery", "TopQuery"]

Text = Annotated[str, Field(max_length=500)]
Cursor = Annotated[str, Field(max_length=500)]


def _is_pair(given: str) -> str:
    if "=" not in given:
        raise ValueError("a field is asked for as NAME=VALUE, such as src_ip=203.0.113.9")
    return given


Pair = Annotated[str, Field(max_length=700), AfterValidator(_is_pair)]


class Query(BaseModel):
    """Base of all."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=1000, description="Rows of a page.")
    after: Cursor | None = Field(None, description="`next` of the page before.")


class IncidentQuery(Query):
    """Which incidents, in which order."""

    level: Level | None = Field(None, description="This level and above.")
    result: Result | None = Field(None, description="What came of it.")
    since: datetime | None = Field(None, description="Active at this time or later.")
    until: datetime | None = Field(None, description="Active before this time.")
    text: Text | None = Field(None, description="Part of the title, number or an entity.")
    source: Text | None = Field(None, description="Name of a log source.")
    entity: Text | None = Field(None, description="Exact value of an entity.")
    silenced: bool = Field(False, description="Also those of which all signals are silenced.")
    order: Order = Field("level", description="`level`: highest first; `time`: latest first.")

    def filter(self) -> IncidentFilter:
        """What the service is asked."""
        return IncidentFilter(
            level=self.level,
            result=self.result,
            since=self.since,
            until=self.until,
            text=self.text,
            source=self.source,
            entity=self.entity,
            silenced=self.silenced,
        )


class EventQuery(Query):
    """Which events."""

    since: datetime | None = Field(None, description="`time_effective` at this time or later.")
    until: datetime | None = Field(None, description="`time_effective` before this time.")
    source: Text | None = Field(None, description="Name of a log source.")
    parser: Text | None = Field(None, description="Id of the parser pack.")
    rule: Text | None = Field(None, description="Id of a rule that matched.")
    text: Text | None = Field(None, description="Part of the record's text.")
    field: list[Pair] = Field(
        default_factory=list,
        max_length=5,
        description="NAME=VALUE of an event's field: `src_ip=203.0.113.9`, `process.name=bash`.",
    )

    def filter(self) -> EventFilter:
        """What the service is asked."""
        pairs = (one.partition("=") for one in self.field)
        return EventFilter(
            since=self.since,
            until=self.until,
            source=self.source,
            parser=self.parser,
            rule_id=self.rule,
            text=self.text,
            fields={name: value for name, _, value in pairs},
        )


class LakeQuery(BaseModel):
    """Base of what a lake is asked."""

    model_config = ConfigDict(extra="forbid")

    filter: str = Field(
        "", max_length=4_000, description="Lucene's syntax: `src_ip:10.0.0.0/8 AND user_name:a*`."
    )
    since: datetime | None = Field(None, description="`time_effective` at this time or later.")
    until: datetime | None = Field(None, description="`time_effective` before this time.")

    @property
    def span(self) -> dict[str, Any]:
        """The times as a lake takes them; without a zone they are UTC."""
        return {"since": _aware(self.since), "until": _aware(self.until)}


class SearchQuery(LakeQuery):
    """Which events of the lake."""

    limit: int = Field(50, ge=1, le=1000, description="Events, latest first.")


class HistogramQuery(LakeQuery):
    """How many events over time."""

    seconds: int = Field(3_600, ge=1, le=31_622_400, description="Length of each stretch.")


class TopQuery(LakeQuery):
    """The most frequent values."""

    column: Text = Field(description="Column of events: `src_ip`, `process.name`.")
    limit: int = Field(10, ge=1, le=1000, description="Values, the most frequent first.")


class RuleQuery(Query):
    """Which rules."""

    level: Level | None = Field(None, description="This level and above.")
    status: Text | None = Field(None, description="Sigma status.")
    tag: Text | None = Field(None, description="Exact tag, such as attack.t1110.001.")
    text: Text | None = Field(None, description="Part of the title, id or description.")
    fired: bool | None = Field(None, description="Only those that fired, or only those that never.")


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
