"""Lists that the API and the `.json` twins of pages give alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bigsec.detect import EventPage, IncidentPage, list_events, list_incidents
from bigsec.errors import BigsecError
from bigsec.store import Store
from bigsec_api.queries import EventQuery, IncidentQuery

__all__ = ["event_page", "incident_page", "page_dict"]

Page = TypeVar("Page")


def incident_page(store: Store, query: IncidentQuery) -> IncidentPage:
    """The incidents that a query asks for. Raises BigsecError for a cursor of another list."""
    return _asked(
        lambda: list_incidents(
            store, query.filter(), limit=query.limit, after=query.after, order=query.order
        )
    )


def event_page(store: Store, query: EventQuery) -> EventPage:
    """The events that a query asks for. Raises BigsecError for a field that is none."""
    return _asked(lambda: list_events(store, query.filter(), limit=query.limit, after=query.after))


def page_dict(name: str, rows: list[Any], page: IncidentPage | EventPage) -> dict[str, Any]:
    """A page for programs."""
    silenced = {"silenced": page.silenced} if isinstance(page, IncidentPage) else {}
    return {
        name: [row.to_dict() for row in rows],
        "next": page.next,
        "total": page.total,
        "total_exact": page.total_exact,
    } | silenced


def _asked(ask: Callable[[], Page]) -> Page:
    try:
        return ask()
    except BigsecError:
        raise
    except ValueError as error:
        raise BigsecError("BS4001", "usage", str(error)) from error
    except OverflowError as error:  # a forged cursor whose numbers no column can hold
        raise BigsecError("BS4001", "usage", "the cursor is not one that a list gave") from error
