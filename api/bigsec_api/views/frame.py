"""The frame around every page: language, theme, zone, and the template engine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from bigsec import __version__
from bigsec_api.settings import Settings
from bigsec_api.views.clock import Clock, zone_of
from bigsec_api.views.visible import visible
from bigsec_api.views.words import LANGUAGES, Words, choose

__all__ = ["COOKIE_SECONDS", "LANGUAGE", "THEME", "THEMES", "ZONE", "Frame", "render", "static"]

LANGUAGE: Final = "bigsec_lang"
THEME: Final = "bigsec_theme"
ZONE: Final = "bigsec_tz"
COOKIE_SECONDS: Final = 365 * 24 * 3600
THEMES: Final = ("auto", "light", "dark")
_SYMBOLS: Final = {"critical": "◆", "high": "▲", "medium": "●", "low": "○", "informational": "·"}


@cache
def static() -> Mapping[str, bytes]:
    """The files beside the pages, by name."""
    folder = files("bigsec_api").joinpath("static")
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


@cache
def static_url(name: str) -> str:
    """The address of a file, which changes with what is in it."""
    return f"/static/{name}?v={hashlib.sha256(static()[name]).hexdigest()[:16]}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("bigsec_api"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["v"] = visible
    made.globals.update(static_url=static_url, symbols=_SYMBOLS, languages=LANGUAGES, themes=THEMES)
    return made


@dataclass(frozen=True, slots=True)
class Frame:
    """What a page knows of its reader."""

    words: Words
    theme: str
    clock: Clock
    here: str
    logged_in: bool
    searches: bool = False
    version: str = __version__

    @classmethod
    def of(cls, request: Request) -> Frame:
        """From the URL, the cookies and what the browser says."""
        settings: Settings = request.app.state.settings
        asked = request.query_params
        language = choose(
            asked=asked.get("lang"),
            kept=request.cookies.get(LANGUAGE),
            accepted=request.headers.get("accept-language", ""),
            pseudo=settings.pseudo,
        )
        theme = request.cookies.get(THEME, "auto")
        return cls(
            words=Words(language),
            theme=theme if theme in THEMES else "auto",
            clock=_clock(asked.get("tz"), request.cookies.get(ZONE), settings.timezone),
            here=_here(request),
            logged_in="bigsec_session" in request.cookies,
            searches=settings.lake is not None,
        )


def _clock(*names: str | None) -> Clock:
    for name in names:
        if name and (zone := zone_of(name)) is not None:
            return Clock(name, zone)
    return Clock("UTC", UTC)


def _here(request: Request) -> str:
    """This page, without the choices that the frame's own forms change."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if name not in ("lang", "tz")]
    return request.url.path + (f"?{urlencode(kept)}" if kept else "")


def render(
    request: Request,
    template: str,
    view: object,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page. view: what the template shows, as `view`."""
    frame = Frame.of(request)
    context: dict[str, Any] = {"view": view, "frame": frame, "t": frame.words}
    html = _environment().get_template(template).render(context)
    answer = HTMLResponse(html, status, headers=dict(headers or {}))
    answer.headers["Content-Language"] = frame.words.language
    answer.headers["Vary"] = "Accept-Language, Cookie"
    if "lang" in request.query_params and frame.words.language == request.query_params["lang"]:
        answer.set_cookie(
            LANGUAGE, frame.words.language, COOKIE_SECONDS, httponly=True, samesite="lax"
        )
    return answer
