"""What routes are given: the open store, to those who may read it, and the loaded rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from bigsec.store import Store, open_store, stop_reads_after
from bigsec_api.auth import check_access
from bigsec_api.ruleset import RuleSet
from bigsec_api.settings import Settings

__all__ = ["LoadedRules", "OpenStore", "settings_of"]


def settings_of(request: Request) -> Settings:
    """What the application was started with."""
    settings: Settings = request.app.state.settings
    return settings


def _open(request: Request) -> Iterator[Store]:
    # Opened anew for each request (a millisecond or two): a scan puts a new file in its place.
    settings = settings_of(request)
    with open_store(settings.store) as store:
        stop_reads_after(store, settings.read_seconds_max)
        check_access(request, store)
        yield store


def _rules(request: Request) -> RuleSet:
    rules: RuleSet = request.app.state.rules
    return rules


OpenStore = Annotated[Store, Depends(_open)]
LoadedRules = Annotated[RuleSet, Depends(_rules)]
