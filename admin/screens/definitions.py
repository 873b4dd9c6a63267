"""The versions of the definitions: who published what and when, what a version holds, and the way back to it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.manual import book
from admin.parts import plans
from admin.parts.reader import Reader
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from definitions.problems import DefinitionError
from models.errors import NotFoundError
from models.message import say
from workflows import publishing
from workflows.proposal import Proposal, propose


def _leader(request: Request) -> Visit:
    """Return the visit of somebody who runs the network; for everyone else there is no such page."""
    visit = here(request)
    if not visit.leads:
        raise NotFoundError
    return visit


def _number(request: Request) -> int:
    number = int(request.path_params["version"])
    if not 0 < number <= _leader(request).tenant.published.version:
        raise NotFoundError
    return number


async def listed(request: Request) -> Response:
    """List the versions, the newest first."""
    visit = _leader(request)
    before = request.query_params.get("before", "")
    up_to = int(before) - 1 if before.isascii() and before.isdigit() and len(before) < 10 else None
    versions = await publishing.history(visit.tenant, up_to=up_to)
    further = versions[-1].version if versions and versions[-1].version > 1 else None
    return await render(request, "definitions/versions.html", versions=versions, further=further, broken=_broken(visit))


def _broken(visit: Visit) -> tuple[str, ...]:
    """Return the rules of this Maille that the current version breaks: it was published before they were."""
    return tuple(f"{problem.place}: {visit.words(problem.message)}" for problem in visit.tenant.published.problems)


async def shown(request: Request) -> Response:
    """Show the files of a version, and what going back to it would change."""
    return await _page(request, refusal="")


async def _page(request: Request, *, refusal: str, status: int = 200) -> Response:
    visit, number = _leader(request), _number(request)
    files = await publishing.files_of(visit.tenant, number)
    versions = await publishing.history(visit.tenant, up_to=number)
    proposal, problems = await _proposed(visit, files)
    return await render(
        request,
        "definitions/version.html",
        status=status,
        version=versions[0],
        files=sorted(files.items()),
        proposal=proposal,
        problems=problems,
        changes=plans.changes(visit),
        refusal=refusal,
    )


async def _proposed(visit: Visit, files: Mapping[str, str]) -> tuple[Proposal | None, tuple[str, ...]]:
    """Return what publishing the files would change, or why these definitions do not run with this Maille any more."""
    try:
        return await propose(visit.tenant, files), ()
    except DefinitionError as error:
        return None, tuple(f"{problem.place}: {visit.words(problem.message)}" for problem in error.problems)


async def manual(request: Request) -> Response:
    """Show the manual of the network, as its definitions tell it now."""
    visit = _leader(request)
    told = await asyncio.to_thread(book.told, Reader(visit.network, visit.formats))
    return await render(request, "definitions/manual.html", inside=True, **told)


async def roll_back(request: Request) -> Response:
    """Publish the version's files once more, for the version that the page was made for."""
    visit, number, form = _leader(request), _number(request), await request.form()
    base, note = text(form, "base"), text(form, "note")[:500]
    try:
        published = await publishing.roll_back(
            visit.tenant,
            number,
            visit.actor.id,
            note=note or visit.words(say("Back to version {version}", version=number)),
            allow_loss=bool(text(form, "allow_loss")),
            base=int(base) if base.isascii() and base.isdigit() and len(base) < 10 else None,
        )
    except DefinitionError:
        return await _page(request, refusal=visit.words(say("This version cannot be published as it is.")), status=422)
    said = say("Version {version} is published.", version=published.version)
    return say_on(request, redirect(request, visit.url("definitions")), said)


routes: list[BaseRoute] = [
    Route("/definitions", listed, methods=["GET"]),
    Route("/definitions/manual", manual, methods=["GET"]),
    Route("/definitions/{version:int}", shown, methods=["GET"]),
    Route("/definitions/{version:int}/roll-back", roll_back, methods=["POST"]),
]
