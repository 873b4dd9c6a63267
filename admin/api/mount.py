"""The addresses of the API, below `/n/<network>/api/v1/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from admin.api import (
    approvals,
    bulk,
    definitions,
    entities,
    figures,
    files,
    jobs,
    moves,
    notices,
    publishing,
    reasons,
    runs,
    settings,
    story,
)
from admin.api.addresses import VERSION
from admin.api.call import Answer, Call, Granted, open_call, respond
from admin.api.openapi import document
from admin.api.problems import HANDLERS
from admin.attachments import carrying
from admin.limits import Told
from models.errors import NotFoundError
from workflows import overseeing
from workflows.unit import Unit

Handler = Callable[[Call], Awaitable[Answer]]


def _route(path: str, rights: Granted | None = None, **handlers: Handler) -> Route:
    """Return the route of a resource with a handler a method; `rights` says which of them a caller's levels may use."""

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return await _options(request, rights, tuple(handlers))
        call = await open_call(request, rights)
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        answered = await handler(call)
        if answered.file is not None:
            return carrying(request, answered.file, call.tenant.contents.path(answered.file.sha))
        return respond(answered)

    return Route(path, answer, methods=[*handlers, "OPTIONS"])


async def _options(request: Request, rights: Granted | None, methods: tuple[str, ...]) -> Response:
    """Say which methods there are for who calls."""
    call = await open_call(request)

    async def work(unit: Unit) -> Answer:
        granted = None if rights is None else rights(call.horizon(unit).entity(request.path_params["entity"]))
        allowed = [name for name in methods if granted is None or granted[name]]
        if not allowed:
            raise NotFoundError
        allowed += [*(("HEAD",) if "GET" in allowed else ()), "OPTIONS"]
        return Answer(status=204, headers={"Allow": ", ".join(allowed)})

    return respond(await call.read(work))


_RECORD = "/entities/{entity}/{id}"
ROUTES: tuple[BaseRoute, ...] = (  # tried in this order: what is asked most stands first
    _route("/entities/{entity}", entities.of_list, GET=entities.listing, POST=entities.create),
    _route("/entities/{entity}/bulk", POST=bulk.create),
    _route("/entities/{entity}/bulk/{process}/{transition}", POST=bulk.move),
    _route("/entities/{entity}/jobs/{process}/{transition}", POST=jobs.begin),
    _route(_RECORD, entities.of_record, GET=entities.read, PATCH=entities.update, DELETE=entities.delete),
    _route("/uploads", POST=files.upload),
    _route(f"{_RECORD}/files/{{field}}", GET=files.download),
    _route(f"{_RECORD}/history/{{history}}/files/{{field}}", GET=files.answer),
    _route(f"{_RECORD}/transitions", GET=moves.offers),
    _route(f"{_RECORD}/transitions/{{process}}/{{transition}}", POST=moves.take),
    _route(f"{_RECORD}/undo/{{history}}", POST=moves.take_back),
    _route(f"{_RECORD}/history", GET=story.history),
    _route(f"{_RECORD}/notes", POST=story.note),
    _route(f"{_RECORD}/tasks", GET=story.about),
    _route("/me", GET=figures.me),
    _route("/definitions", GET=definitions.definitions, POST=publishing.publish),
    _route("/definitions/check", POST=publishing.check),
    _route("/definitions/plan", POST=publishing.plan),
    _route("/definitions/simulate", POST=publishing.simulate),
    _route("/definitions/versions", GET=publishing.history),
    _route("/definitions/versions/{version}", GET=publishing.version),
    _route("/definitions/versions/{version}/roll-back", POST=publishing.roll_back),
    _route("/settings", GET=settings.listing, PATCH=settings.change),
    _route("/runs", GET=runs.listing),
    _route("/runs/{run}", GET=runs.one),
    _route("/runs/{run}/retry", POST=runs.decided(overseeing.retry)),
    _route("/runs/{run}/skip", POST=runs.decided(overseeing.skip)),
    _route("/runs/{run}/cancel", POST=runs.decided(overseeing.cancel)),
    _route("/jobs/{job}", GET=jobs.one),
    _route("/jobs/{job}/cancel", POST=jobs.cancel),
    _route("/jobs/{job}/undo", POST=jobs.undo),
    _route("/reasons", GET=reasons.explanation),
    _route("/openapi.json", GET=document.openapi),
    _route("/statistics", GET=figures.statistics),
    _route("/statistics/{statistic}", GET=figures.statistic),
    _route("/tasks", GET=story.mine, POST=story.add),
    _route("/tasks/{task}/done", POST=story.complete),
    _route("/tasks/{task}/reopen", POST=story.reopen),
    _route("/approvals", GET=approvals.listing),
    _route("/approvals/{asked}/grant", POST=approvals.grant),
    _route("/approvals/{asked}/refuse", POST=approvals.refuse),
    _route("/approvals/{asked}/withdraw", POST=approvals.withdraw),
    _route("/approvals/{asked}/files/{field}", GET=approvals.file),
    _route("/notices", GET=notices.listing),
    _route("/notices/read", POST=notices.mark_all),
    _route("/notices/{notice}/read", POST=notices.mark),
)


def mount() -> Mount:
    """Return the API as a part of the routes of a network."""
    handled = Middleware(ExceptionMiddleware, handlers=HANDLERS)
    return Mount(f"/api/{VERSION}", routes=list(ROUTES), middleware=[Middleware(Told), handled])
