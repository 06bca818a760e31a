"""What the search page shows: the form, the events, and how many there were over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import QueryParams

from bigsec.saying import said
from bigsec_api.views.clock import Clock
from bigsec_api.views.filters import moment_in

__all__ = ["Bar", "Found", "SearchState", "SearchView", "bars", "found", "step_for"]

PERIODS: Final = ("-1h", "-24h", "-7d", "-30d")
BARS: Final = 60
HEIGHT: Final = 48
AROUND: Final = timedelta(minutes=1)
_STEPS: Final = (1, 10, 60, 300, 900, 3_600, 10_800, 86_400, 604_800, 2_592_000, 31_536_000)


class SearchState(BaseModel):
    """Everything that the page's URL says. Unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=4_000)
    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)
    limit: int = Field(50, ge=1, le=1000)
    tz: str | None = None
    lang: str | None = None

    @classmethod
    def of(cls, given: QueryParams) -> SearchState:
        """From a URL; fields that a form sends empty are not asked for."""
        return cls.model_validate({name: value for name, value in given.items() if value})

    def span(self, now: datetime, clock: Clock) -> dict[str, Any]:
        """The times as a lake takes them. Raises WrongTime."""
        return {
            "since": moment_in(self.since, now, clock),
            "until": moment_in(self.until, now, clock),
        }

    def link(self, **changes: str | None) -> str:
        """The search with some things changed."""
        kept: dict[str, Any] = self.model_dump(by_alias=True, exclude_defaults=True) | changes
        pairs = [(k, v) for k, v in kept.items() if v not in (None, "") and k not in ("tz", "lang")]
        return "/events" + (f"?{urlencode(pairs)}" if pairs else "")


@dataclass(frozen=True, slots=True)
class Bar:
    """Events of a stretch of time as a bar. x: its place from the left; height in pixels."""

    x: int
    height: int
    start: datetime
    count: int
    link: str


@dataclass(frozen=True, slots=True)
class Found:
    """An event as a line. around: the search for what its host said in the minute around it."""

    event: dict[str, Any]
    time: datetime
    host: str
    said: str
    raw: str
    around: str


@dataclass(frozen=True, slots=True)
class SearchView:
    """The page. problem: what cannot be understood, as (message, mend)."""

    state: SearchState
    events: tuple[Found, ...] = ()
    total: int = 0
    bars: tuple[Bar, ...] = ()
    step: int = 0
    more: str | None = None
    wrong_time: str | None = None
    problem: tuple[str, str] | None = None
    periods: tuple[str, ...] = PERIODS
    height: int = HEIGHT

    @property
    def slots(self) -> int:
        """Places for bars: at least so many that one alone is no wall."""
        return max(BARS // 3, 1 + max((bar.x for bar in self.bars), default=0) // 10)

    @property
    def end(self) -> datetime:
        """Where the row of places ends."""
        return self.bars[0].start + timedelta(seconds=self.step * self.slots)


def step_for(first: datetime, last: datetime) -> int:
    """Seconds of a bar, so that at most so many stand side by side."""
    seconds = max((last - first).total_seconds(), 1.0)
    return next((step for step in _STEPS if seconds / step <= BARS - 1), _STEPS[-1])


def bars(counted: list[tuple[datetime, int]], step: int, state: SearchState) -> tuple[Bar, ...]:
    """The bars of counts over time, in their places."""
    if not counted:
        return ()
    first, most = counted[0][0], max(count for _, count in counted)
    made = []
    for start, count in counted:
        at = int((start - first).total_seconds() // step)
        if at >= BARS:
            break
        end = start + timedelta(seconds=step)
        link = state.link(**{"from": _written(start), "to": _written(end)})
        made.append(Bar(at * 10, max(2, round(count / most * HEIGHT)), start, count, link))
    return tuple(made)


def found(event: dict[str, Any]) -> Found:
    """An event as `Batch.to_pylist` gives it."""
    time = datetime.fromisoformat(event["time_effective"])
    host = str((event.get("device") or {}).get("hostname") or event.get("source") or "")
    raw = str(event.get("raw_data") or "")
    quoted = host.replace("\\", "\\\\").replace('"', '\\"')
    name = "device.hostname" if (event.get("device") or {}).get("hostname") else "source"
    around = SearchState.model_validate(
        {
            "q": f'{name}:"{quoted}"'[:4_000],
            "from": _written(time - AROUND),
            "to": _written(time + AROUND),
        }
    )
    return Found(event, time, host, said(event), raw, around.link())


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
