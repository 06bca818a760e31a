"""Language, theme and zone of a reader, kept in cookies so that no script is needed."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bigsec_api.forms import Form, local_path
from bigsec_api.views.clock import zone_of
from bigsec_api.views.frame import COOKIE_SECONDS, LANGUAGE, THEME, THEMES, ZONE
from bigsec_api.views.words import LANGUAGES

router = APIRouter()

_COOKIES: Final = {"lang": LANGUAGE, "theme": THEME, "tz": ZONE}


@router.post("/preferences")
def prefer(request: Request, form: Form) -> Response:
    """Keep what was chosen and go back to the page."""
    answer = RedirectResponse(local_path(form.get("next", "")), 303)
    secure = request.url.scheme == "https"
    for name, cookie in _COOKIES.items():
        value = form.get(name)
        if value is not None and _is_choice(name, value):
            answer.set_cookie(
                cookie, value, COOKIE_SECONDS, httponly=True, samesite="lax", secure=secure
            )
    return answer


def _is_choice(name: str, value: str) -> bool:
    if name == "tz":
        return zone_of(value) is not None
    return value in (LANGUAGES if name == "lang" else THEMES)
