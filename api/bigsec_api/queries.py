"""The parameters of lists, as the API and the pages take them. Unknown ones are refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bigsec.detect import EventFilter, IncidentFilter, Level
from bigsec.detect.model import Order
from bigsec.detect.signal import Result

__all__ = ["EventQuery", "IncidentQuery", "RuleQuery"]

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


class RuleQuery(Query):
    """Which rules."""

    level: Level | None = Field(None, description="This level and above.")
    status: Text | None = Field(None, description="Sigma status.")
    tag: Text | None = Field(None, description="Exact tag, such as attack.t1110.001.")
    text: Text | None = Field(None, description="Part of the title, id or description.")
    fired: bool | None = Field(None, description="Only those that fired, or only those that never.")
