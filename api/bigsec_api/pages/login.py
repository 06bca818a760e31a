"""Log-in by the link that `bigsec serve` prints, or by a token; and log-out."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from bigsec.store import find_token, open_store
from bigsec_api.auth import COOKIE
from bigsec_api.deps import settings_of
from bigsec_api.forms import Form, local_path
from bigsec_api.sessions import SESSION_SECONDS, Sessions
from bigsec_api.views.frame import render

router = APIRouter()


@dataclass(frozen=True, slots=True)
class LoginView:
    """code: of a link, to be confirmed; next: where to go on to; failed: the last try."""

    code: str
    next: str
    failed: bool


@router.get("/login")
def ask(request: Request, code: str = "", next: str = "") -> Response:
    """The page of a link, or the form for a token.

    A link does not log in by itself: programs that look ahead at links would spend it.
    """
    return render(request, "login/login.html", LoginView(code[:100], local_path(next), False))


@router.post("/login")
def login(request: Request, form: Form) -> Response:
    """Begin a session."""
    after = local_path(form.get("next", ""))
    sessions: Sessions = request.app.state.sessions
    secret = sessions.redeem(form["code"]) if "code" in form else _with_token(request, form)
    if secret is None:
        return render(request, "login/login.html", LoginView("", after, True), status=403)
    answer = RedirectResponse(after, 303)
    answer.set_cookie(
        COOKIE,
        secret,
        SESSION_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


def _with_token(request: Request, form: dict[str, str]) -> str | None:
    with open_store(settings_of(request).store) as store:
        token = find_token(store, form.get("token", "").strip())
    if token is None:
        return None
    sessions: Sessions = request.app.state.sessions
    return sessions.begin(token.token_id)


@router.post("/logout")
def logout(request: Request) -> Response:
    """End the session."""
    sessions: Sessions = request.app.state.sessions
    sessions.end(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer
