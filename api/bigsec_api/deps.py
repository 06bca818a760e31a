"""What routes are given, to those who may read: the store, the lake, the loaded rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from bigsec.errors import NotFoundError
from bigsec.store import Store, open_store, stop_reads_after
from bigsec_api.auth import check_access
from bigsec_api.ruleset import RuleSet
from bigsec_api.settings import Settings

if TYPE_CHECKING:
    from bigsec.lake import Lake

__all__ = ["LoadedRules", "OpenLake", "OpenStore", "ServedLake", "settings_of"]


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


class ServedLake:
    """The lake of an application, opened by whoever may read the store."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def open(self) -> Lake:
        """The lake. Raises NotFoundError where none is served, LakeError where it is not there."""
        # Large, and needed by searches alone.
        from bigsec.lake import Lake, Limits

        if self._settings.lake is None:
            told = "no lake is served: start with --lake"
            raise NotFoundError("BS3205", "lake.none", told)
        limits = Limits(seconds=self._settings.read_seconds_max)
        return Lake(self._settings.lake, limits=limits)


def _lake(request: Request, _store: Annotated[Store, Depends(_open)]) -> ServedLake:
    return ServedLake(settings_of(request))


def _rules(request: Request) -> RuleSet:
    rules: RuleSet = request.app.state.rules
    return rules


OpenStore = Annotated[Store, Depends(_open)]
OpenLake = Annotated[ServedLake, Depends(_lake)]
LoadedRules = Annotated[RuleSet, Depends(_rules)]
