"""Tokens: what programs use in my name, each shown once, when it is made; and everybody's, for who administers."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from admin.wordings import token_ends
from models import tokens
from models.errors import InvalidError, NotFoundError
from models.message import say
from workflows import token_notices
from workflows.unit import Unit, read

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
        entity_names=_entities(visit),
        days=[(str(days), count("{n} day", "{n} days", days)) for days in DAYS],
        name=text(form, "name") if form else "",
        errors={name: visit.words(said) for name, said in error.fields.items()} if error else {},
        secret=secret,
    )


def _entities(visit: Visit) -> dict[str, str]:
    access = visit.tenant.published.access
    every = visit.network.entities.values()
    return {each.name: visit.words(each.many) for each in every if access.may(visit.actor, "read", each.name)}


def _chosen(form: FormData, name: str) -> list[str]:
    return [each for each in form.getlist(name) if isinstance(each, str)]


async def create(request: Request) -> Response:
    """Make a token and show it, this once."""
    visit, form = here(request), await request.form()
    days = text(form, "days")
    notice = token_ends(visit.network, visit.actor.language, text(form, "name"))
    try:
        made = await tokens.create(
            visit.tenant,
            _member(visit),
            name=text(form, "name"),
            days=int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
            levels=_chosen(form, "levels"),
            entities=_chosen(form, "entities"),
            reads_only=text(form, "reads_only") == "true",
            also=token_notices.told(visit.tenant, notice),
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


async def of_all(request: Request) -> Response:
    """Show everybody's tokens to who administers."""
    visit = here(request)
    _administers(visit)

    async def work(unit: Unit) -> tuple[list[tokens.Token], dict[str, str]]:
        found = await tokens.of_all(unit.tx)
        return found, dict(await unit.records.labels("member", {token.member for token in found}))

    found, names = await read(visit.tenant, visit.actor, work)
    formats = visit.formats
    lines = [(token, formats.due(token.expires_at), token.expires_at <= formats.now) for token in found]
    labels = {name: visit.words(level.label) for name, level in visit.network.levels.items()}
    entities = {name: visit.words(each.many) for name, each in visit.network.entities.items()}
    return await render(
        request, "account/all_tokens.html", tokens=lines, names=names, level_names=labels, entity_names=entities
    )


async def revoke_any(request: Request) -> Response:
    """End anybody's token."""
    visit, form = here(request), await request.form()
    _administers(visit)
    if not await tokens.revoke_any(visit.tenant, text(form, "token")):
        raise NotFoundError
    return say_on(request, redirect(request, visit.url("tokens")), say("The token is revoked."))


def _administers(visit: Visit) -> None:
    if not visit.tenant.published.access.administers(visit.actor):
        raise NotFoundError


routes: list[BaseRoute] = [
    Route("/account/tokens", shown, methods=["GET"]),
    Route("/account/tokens", create, methods=["POST"]),
    Route("/account/tokens/revoke", revoke, methods=["POST"]),
    Route("/tokens", of_all, methods=["GET"]),
    Route("/tokens/revoke", revoke_any, methods=["POST"]),
]
