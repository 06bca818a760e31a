"""The application: routes, pages, limits and error shapes, wired in one place."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from bigsec import __version__
from bigsec_api.document import describe
from bigsec_api.errors import add_error_handlers
from bigsec_api.guard import Guard
from bigsec_api.measures import Measures
from bigsec_api.pages import events as event_pages
from bigsec_api.pages import incidents as incident_pages
from bigsec_api.pages import login, preferences, static
from bigsec_api.routes import events, health, incidents, lake, rules
from bigsec_api.ruleset import RuleSet
from bigsec_api.sessions import Sessions
from bigsec_api.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings | Path) -> FastAPI:
    """An application that answers from one store. A path stands for settings of that store."""
    given = Settings(store=settings) if isinstance(settings, Path) else settings
    app = FastAPI(
        title="bigsec",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = given
    app.state.sessions = Sessions()
    app.state.measures = Measures()
    app.state.rules = RuleSet(given.rules)
    add_error_handlers(app)
    app.add_middleware(Guard, measures=app.state.measures)
    # Searches before single events, whose ids stand in the same place of the address.
    for route in (health, incidents, lake, events, rules):
        app.include_router(route.router, prefix="/api/v1")
    for page in (incident_pages, event_pages, login, preferences, static):
        app.include_router(page.router, include_in_schema=False)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # as FastAPI documents it
    return app
