"""The application: routes and error shapes, wired in one place."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI

from bigsec import __version__
from bigsec_api.errors import add_error_handlers
from bigsec_api.routes import health, incidents

__all__ = ["create_app"]


def create_app(store: Path) -> FastAPI:
    """An application that answers from the store in a folder.

    It has no log-in yet: serve it on the loopback address only.
    """
    app = FastAPI(
        title="bigsec",
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.store = store
    add_error_handlers(app)
    app.include_router(health.router, prefix="/api/v1")
    app.include_router(incidents.router, prefix="/api/v1")
    return app
