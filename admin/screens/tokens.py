"""My tokens: what programs use in my name; each is shown once, when it is made."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from models import tokens
from models.errors import InvalidError, NotFoundError
from models.message import say

DAYS = (30, 90, 180, 365)


def _member(visit: Visit) -> str:
    if visit.actor.id is None:
        raise NotFoundError
    return visit.actor.id


async def shown(request: Request) -> Response:
    """Show the tokens that there are, and the form for another."""
    return await _page(request)


async def _page(
    request: Request,
    *,
    status: int = 200,
    form: FormData | None = None,
    error: InvalidError | None = None,
    secret: str = "",
) -> Response:
    visit = here(request)
    formats, count = visit.formats, visit.catalogue.ngettext
    found = await tokens.of_member(visit.tenant, _member(visit))
    return await render(
        request,
        "account/tokens.html",
        status=status,
        tokens=[(token, formats.due(token.expires_at), token.expires_at <= formats.now) for token in found],
        level_names={name: visit.words(visit.network.levels[name].label) for name in visit.actor.levels},
        days=[(str(days), count("{n} day", "{n} days", days)) for days in DAYS],
        name=text(form, "name") if form else "",
        errors={name: visit.words(said) for name, said in error.fields.items()} if error else {},
        secret=secret,
    )


async def create(request: Request) -> Response:
    """Make a token and show it, this once."""
    visit, form = here(request), await request.form()
    days = text(form, "days")
    levels = [level for level in form.getlist("levels") if isinstance(level, str)]
    try:
        made = await tokens.create(
            visit.tenant,
            _member(visit),
            name=text(form, "name"),
            days=int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
            levels=levels,
        )
    except InvalidError as error:
        return await _page(request, status=422, form=form, error=error)
    response = await _page(request, secret=made.secret)
    response.headers["Cache-Control"] = "no-store"
    return response


async def revoke(request: Request) -> Response:
    """End a token."""
    visit, form = here(request), await request.form()
    if not await tokens.revoke(visit.tenant, _member(visit), text(form, "token")):
        raise NotFoundError
    return say_on(request, redirect(request, visit.url("account", "tokens")), say("The token is revoked."))


routes: list[BaseRoute] = [
    Route("/account/tokens", shown, methods=["GET"]),
    Route("/account/tokens", create, methods=["POST"]),
    Route("/account/tokens/revoke", revoke, methods=["POST"]),
]
