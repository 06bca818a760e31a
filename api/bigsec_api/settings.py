"""What an application is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Settings"]

URL_BYTES_MAX: Final = 8_192
"""Path and query. Every filter at its longest fits; a longer URL is no list of ours."""
PARAMETERS_MAX: Final = 64
FORM_BYTES_MAX: Final = 16_384
READ_SECONDS_MAX: Final = 15.0
"""A search through a million incidents ends in it; what takes longer holds up the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """store: folder, file or URL of the store. rules: files and folders; none takes bigsec's own.

    timezone: zone in which pages show times to those who have chosen none.
    read_seconds_max: how long the queries of one request may run.
    lake: folder of the lake that searches look through; none has no search.
    pseudo: offer the language `qps`, in which every text stands in brackets, to find those that
        no catalogue has. For tests.
    """

    store: Path
    rules: tuple[str, ...] = ()
    timezone: str = "UTC"
    read_seconds_max: float = READ_SECONDS_MAX
    pseudo: bool = False
    lake: Path | None = None
