"""The filter form of the incident list: what stands in the URL, and the links that change it."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import QueryParams

from bigsec.detect import Level
from bigsec.detect.model import Order
from bigsec.detect.signal import Result
from bigsec_api.queries import IncidentQuery, Text
from bigsec_api.views.clock import Clock, read_moment

__all__ = ["COLUMNS", "ListState", "WrongTime", "moment_in"]

COLUMNS: Final = (
    "level",
    "incident",
    "source",
    "target",
    "method",
    "weakness",
    "result",
    "confidence",
    "first",
    "last",
    "rules",
    "signals",
    "events",
)
DEFAULT_COLUMNS: Final = (
    "level",
    "incident",
    "source",
    "target",
    "method",
    "result",
    "last",
    "signals",
)
PAGE_ROWS: Final = 50


class WrongTime(ValueError):
    """A time in the filter that cannot be read. given: what was written."""

    def __init__(self, given: str) -> None:
        super().__init__(given)
        self.given = given


class ListState(BaseModel):
    """Everything that the list's URL says. Unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid")

    q: Text = ""
    level: Level | None = None
    result: Result | None = None
    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)
    source: Text = ""
    entity: Text = ""
    silenced: bool = False
    sort: Order = "level"
    limit: int = Field(PAGE_ROWS, ge=1, le=1000)
    after: str | None = Field(None, max_length=500)
    cols: list[str] = Field(default_factory=list, max_length=len(COLUMNS))
    tz: str | None = None
    lang: str | None = None

    @classmethod
    def of(cls, given: QueryParams) -> ListState:
        """From a URL; fields that a form sends empty are not asked for."""
        values: dict[str, object] = {name: value for name, value in given.items() if value}
        chosen = [one for one in COLUMNS if one in given.getlist("cols")]
        usual = set(chosen) | {"incident"} == set(DEFAULT_COLUMNS)
        values["cols"] = [] if usual else chosen
        return cls.model_validate(values)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns shown, in their order. The incident itself is always there."""
        chosen = {*self.cols, "incident"} if self.cols else set(DEFAULT_COLUMNS)
        return tuple(one for one in COLUMNS if one in chosen)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the level is asked for."""
        return bool(self.q or self.result or self.since or self.until or self.source or self.entity)

    def query(self, now: datetime, clock: Clock) -> IncidentQuery:
        """What the service is asked. Raises WrongTime."""
        return IncidentQuery(
            level=self.level,
            result=self.result,
            since=moment_in(self.since, now, clock),
            until=moment_in(self.until, now, clock),
            text=self.q or None,
            source=self.source or None,
            entity=self.entity or None,
            silenced=self.silenced,
            order=self.sort,
            limit=self.limit,
            after=self.after,
        )

    def link(self, **changes: str | None) -> str:
        """The list with some things changed; it begins at its first page, unless told."""
        return self._at("/incidents", {"after": None, **changes})

    def json_link(self) -> str:
        """The same as JSON."""
        return self._at("/incidents.json", {})

    def _at(self, path: str, changes: dict[str, str | None]) -> str:
        kept = self.model_dump(by_alias=True, exclude_defaults=True) | changes
        pairs: list[tuple[str, object]] = []
        for name, value in kept.items():
            if isinstance(value, list):
                pairs += [(name, one) for one in value]
            elif value not in (None, "") and name not in ("lang", "tz"):
                pairs.append((name, value))
        return path + (f"?{urlencode(pairs)}" if pairs else "")


def moment_in(text: str, now: datetime, clock: Clock) -> datetime | None:
    """A time that stands in a filter; None for none. Raises WrongTime."""
    if not text:
        return None
    try:
        return read_moment(text, now=now, zone=clock.zone)
    except ValueError:
        raise WrongTime(text) from None
