"""What routes are given: the open store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request

from bigsec.store import Store, open_store

__all__ = ["OpenStore"]


def _open(request: Request) -> Iterator[Store]:
    with open_store(request.app.state.store) as store:
        yield store


OpenStore = Annotated[Store, Depends(_open)]
