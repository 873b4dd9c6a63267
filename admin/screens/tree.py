"""The sponsor tree: a branch at a time, and moving one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.web import here, redirect, render, say_on
from models.errors import InvalidError
from models.message import say
from workflows import sponsoring

LONGEST = 2000
"""Letters of a search or of the place where a page begins."""


async def shown(request: Request) -> Response:
    """Show a branch."""
    return await _page(request, request.query_params.get("at", "")[:LONGEST])


async def _page(
    request: Request, at: str, *, status: int = 200, sponsor: str = "", error: InvalidError | None = None
) -> Response:
    visit = here(request)
    q, after = (request.query_params.get(name, "")[:LONGEST] for name in ("q", "after"))
    found = await sponsoring.view(visit.tenant, visit.actor, at, q, after or None)
    following = visit.url("tree", at=at, after=found.next) if found.next else ""
    errors = {name: visit.words(said) for name, said in error.fields.items()} if error else {}
    return await render(
        request,
        "tree/page.html",
        status=status,
        found=found,
        q=q,
        following=following,
        sponsor=sponsor,
        errors=errors,
    )


async def move(request: Request) -> Response:
    """Put a branch under another sponsor."""
    visit, form = here(request), await request.form()
    member, sponsor = text(form, "member"), text(form, "sponsor")
    try:
        if not text(form, "sure"):
            error = InvalidError({"sure": say("This is needed.")})
            return await _page(request, member, status=422, sponsor=sponsor, error=error)
        await sponsoring.move(visit.tenant, visit.actor, member, sponsor)
    except InvalidError as error:
        return await _page(request, member, status=422, sponsor=sponsor, error=error)
    return say_on(request, redirect(request, visit.url("tree", at=member)), say("The branch is moved."))


routes: list[BaseRoute] = [
    Route("/tree", shown, methods=["GET"]),
    Route("/tree", move, methods=["POST"]),
]
