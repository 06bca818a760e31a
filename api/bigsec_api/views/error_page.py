"""An error as a page, from the same body that programs get."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import HTMLResponse

from bigsec_api.models import Problem
from bigsec_api.views.frame import render

__all__ = ["error_page"]


def error_page(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> HTMLResponse:
    """The page of a problem."""
    return render(request, "errors/problem.html", problem, status=problem.status, headers=headers)
