"""The addresses of the API, below `/n/<network>/api/v1/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from admin.api import bulk, definitions, entities, figures, moves, story
from admin.api.addresses import VERSION
from admin.api.call import Answer, Call, Granted, open_call, respond
from admin.api.openapi import document
from admin.api.problems import HANDLERS

Handler = Callable[[Call], Awaitable[Answer]]


def _route(path: str, rights: Granted | None = None, **handlers: Handler) -> Route:
    """Return the route of a resource with a handler a method; `rights` says which of them a caller's levels may use."""

    async def answer(request: Request) -> Response:
        call = await open_call(request, rights)
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        return respond(await handler(call))

    return Route(path, answer, methods=list(handlers))


_RECORD = "/entities/{entity}/{id}"
ROUTES: tuple[BaseRoute, ...] = (
    _route("/me", GET=figures.me),
    _route("/definitions", GET=definitions.definitions),
    _route("/openapi.json", GET=document.openapi),
    _route("/statistics", GET=figures.statistics),
    _route("/statistics/{statistic}", GET=figures.statistic),
    _route("/tasks", GET=story.mine, POST=story.add),
    _route("/tasks/{task}/done", POST=story.complete),
    _route("/tasks/{task}/reopen", POST=story.reopen),
    _route("/entities/{entity}", entities.of_list, GET=entities.listing, POST=entities.create),
    _route("/entities/{entity}/bulk", POST=bulk.create),
    _route("/entities/{entity}/bulk/{process}/{transition}", POST=bulk.move),
    _route(_RECORD, entities.of_record, GET=entities.read, PATCH=entities.update, DELETE=entities.delete),
    _route(f"{_RECORD}/transitions", GET=moves.offers),
    _route(f"{_RECORD}/transitions/{{process}}/{{transition}}", POST=moves.take),
    _route(f"{_RECORD}/undo/{{history}}", POST=moves.take_back),
    _route(f"{_RECORD}/history", GET=story.history),
    _route(f"{_RECORD}/notes", POST=story.note),
    _route(f"{_RECORD}/tasks", GET=story.about),
)


def mount() -> Mount:
    """Return the API as a part of the routes of a network."""
    handled = Middleware(ExceptionMiddleware, handlers=HANDLERS)
    return Mount(f"/api/{VERSION}", routes=list(ROUTES), middleware=[handled])
