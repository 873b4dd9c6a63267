"""Keeping, changing and deleting the views that members save of a list."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.parts.filters import address
from admin.parts.saved import SAVED, kept_query
from admin.parts.subject import Subject, subject
from admin.web import redirect, say_on
from models.message import say
from workflows import views
from workflows.views import LONGEST_QUERY, Wish


async def save(request: Request) -> Response:
    """Keep what the list shows as a new view, or as another state of the one that is named."""
    about, form = subject(request), await request.form()
    levels = tuple(level for level in form.getlist("levels") if isinstance(level, str) and level)
    query = kept_query(address("", parse_qsl(text(form, "query")[: 2 * LONGEST_QUERY])))
    wish = Wish(text(form, "name"), query, levels, bool(text(form, "first")))
    view = "" if text(form, "another") else text(form, "view")
    if view:
        await views.change(about.visit.tenant, about.visit.actor, about.entity.name, view, wish)
    else:
        view = await views.keep(about.visit.tenant, about.visit.actor, about.entity.name, wish)
    return say_on(request, redirect(request, _place(about, query, view)), say("The view is saved."))


async def open_with(request: Request) -> Response:
    """Let the list open with a view, or no longer."""
    about, form = subject(request), await request.form()
    view, query = request.path_params["view"], text(form, "query")[: 2 * LONGEST_QUERY]
    first = bool(text(form, "first"))
    await views.open_with(about.visit.tenant, about.visit.actor, about.entity.name, view, first=first)
    return say_on(request, redirect(request, _place(about, query, view)), say("Saved"))


async def delete(request: Request) -> Response:
    """Delete a view."""
    about = subject(request)
    await views.delete(about.visit.tenant, about.visit.actor, about.entity.name, request.path_params["view"])
    return say_on(request, redirect(request, about.url("")), say("The view is deleted."))


def _place(about: Subject, query: str, view: str) -> str:
    return str(address(about.url(""), [*parse_qsl(query), (SAVED, view)]))


routes: list[BaseRoute] = [
    Route("/e/{entity}/views", save, methods=["POST"]),
    Route("/e/{entity}/views/{view}/first", open_with, methods=["POST"]),
    Route("/e/{entity}/views/{view}/delete", delete, methods=["POST"]),
]
