"""Deciding about steps that somebody asked for: agreeing, refusing, taking the request back."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import inside, text
from admin.attachments import carrying
from admin.web import here, redirect, say_on
from models.errors import NotFoundError
from models.message import Message, say
from workflows import commands, granting
from workflows.unit import read


async def grant(request: Request) -> Response:
    """Agree; the last one who must agree has the step taken."""
    visit = here(request)
    done = await commands.grant(visit.tenant, visit.actor, request.path_params["asked"])
    if done.closed is not None:
        reason = visit.words(done.closed)
        return await _back(request, say("The step could not be taken any more: {reason}", reason=reason))
    if done.missing:
        return await _back(request, say("You have agreed. Others must agree too."))
    return await _back(request, say("You have agreed: the step is taken."))


async def refuse(request: Request) -> Response:
    """Refuse, with a reason if there is one."""
    visit, form = here(request), await request.form()
    await commands.refuse(visit.tenant, visit.actor, request.path_params["asked"], text(form, "reason"))
    return await _back(request, say("The step is refused."))


async def withdraw(request: Request) -> Response:
    """Take the request back."""
    visit = here(request)
    await commands.withdraw(visit.tenant, visit.actor, request.path_params["asked"])
    return await _back(request, say("The request is taken back."))


async def file(request: Request) -> Response:
    """Answer with a file that was given with a request, to be saved."""
    visit, path = here(request), request.path_params
    found = await read(visit.tenant, visit.actor, lambda unit: granting.file_of(unit, path["asked"], path["field"]))
    content = visit.tenant.contents.path(found.sha)
    if not await asyncio.to_thread(content.is_file):
        raise NotFoundError
    return carrying(request, found, content)


async def _back(request: Request, said: Message) -> Response:
    visit, form = here(request), await request.form()
    return say_on(request, redirect(request, inside(visit, text(form, "back") or visit.url("tasks"))), said)


routes: list[BaseRoute] = [
    Route("/approvals/{asked}/grant", grant, methods=["POST"]),
    Route("/approvals/{asked}/refuse", refuse, methods=["POST"]),
    Route("/approvals/{asked}/withdraw", withdraw, methods=["POST"]),
    Route("/approvals/{asked}/files/{field}", file, methods=["GET"]),
]
