"""Every request with its id: how long it took and what came of it, without its path as it was sent or a person."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars
from uuid_utils import uuid4

from admin.api.addresses import within
from admin.networks import Networks
from admin.operations.drain import Drain
from admin.operations.figures import Figures
from admin.operations.probes import observe
from admin.operations.tally import Tally
from models.stores import NAME

HEADER = b"x-request-id"
WELL_FORMED = re.compile(rb"[A-Za-z0-9_.=+/-]{8,128}")
"""Ids of requests that are taken over from who calls: nothing that could end a line or be markup."""
QUIET = re.compile(r"/(?:healthz|readyz|metrics|static/.*)|/n/[^/]+/(?:version|unread/.*)", re.DOTALL)
"""What asks again and again, or costs nothing: in the log at `debug` alone, and no call or page of the targets."""
OUTSIDE = "(none)"
"""What no route answers."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BACK_OFFICE = "/n/{network}/back-office"
GONE = 499
"""The status of a request whose answer nobody waited for; nobody is sent it."""

log = structlog.get_logger("maille.requests")


def templates(routes: Sequence[BaseRoute], before: str = "") -> Iterator[tuple[int, str]]:
    """Yield each route's identity with its template, from the root on."""
    for route in routes:
        if isinstance(route, Mount):
            yield id(route), before + route.path
            yield from templates(route.routes or (), before + route.path)
        elif isinstance(route, Route):
            yield id(route), before + route.path


class Watch:
    """ASGI middleware, outside of all others: what is answered when everything else failed has its id too."""

    def __init__(self, app: ASGIApp, figures: Figures, drain: Drain, tally: Tally | None = None) -> None:
        """Wrap `app`; count in `figures`, and for the targets in `tally`."""
        self.app = app
        self.figures = figures
        self.drain = drain
        self.tally = tally
        self._templates: Mapping[int, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on under its id, and note what came of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = _id(scope["headers"])
        scope.setdefault("state", {})["request_id"] = given
        status = GONE

        async def look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(message, given)
            await send(message)

        bound = bind_contextvars(request_id=given)
        self.figures.under_way.inc()
        begun = perf_counter()
        try:
            await self.app(scope, receive, look)
        finally:
            self.figures.under_way.dec()
            self._note(scope, status, perf_counter() - begun)
            reset_contextvars(**bound)

    def _complete(self, message: MutableMapping[str, Any], given: str) -> None:
        headers = [*message.get("headers", ()), (HEADER, given.encode("ascii"))]
        if self.drain.begun:
            headers.append((b"connection", b"close"))
        message["headers"] = headers

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        path, route = scope["path"], self._template(scope)
        quiet = QUIET.fullmatch(path) is not None
        kind = "other" if quiet or not path.startswith("/n/") else "api" if within(path) else "pages"
        method = scope["method"] if scope["method"] in METHODS else "other"
        self.figures.answered(kind, route, method, status, seconds)
        if self.tally is not None and kind != "other":
            self.tally.note("api" if kind == "api" else "pages", seconds, failed=status >= 500)
        write = log.debug if quiet else log.warning if status >= 500 else log.info
        write(
            "request",
            method=method,
            route=route,
            network=_network(path),
            status=status,
            ms=round(seconds * 1000, 1),
        )

    def _template(self, scope: Scope) -> str:
        """Return the template of the route that answered: of few values, and without what was sent."""
        if self._templates is None:
            app = scope.get("app")
            self._templates = dict(templates(app.routes)) if isinstance(app, Starlette) else {}
        found = self._templates.get(id(scope.get("route")))
        if found is None and scope["path"].startswith("/n/"):
            return BACK_OFFICE if scope["path"].split("/", 4)[3:4] == ["back-office"] else f"/n/{{network}}/{OUTSIDE}"
        return found or OUTSIDE


class Watched(Starlette):
    """The application with `Watch` around all else, the answer to a failure of ours included."""

    def __init__(self, figures: Figures, drain: Drain, tally: Tally | None, **given: Any) -> None:
        """Make the application out of what Starlette is given."""
        super().__init__(**given)
        self._watched = figures, drain, tally

    def build_middleware_stack(self) -> ASGIApp:
        """Return everything that a request goes through."""
        return Watch(super().build_middleware_stack(), *self._watched)


@asynccontextmanager
async def counting(tally: Tally | None, figures: Figures, networks: Networks) -> AsyncIterator[None]:
    """Have the figures written down inside of the `with`, every few seconds; without a tally nothing is."""
    if tally is None:
        yield
        return

    def also() -> None:
        figures.tell()
        observe(figures, networks)

    stop = asyncio.Event()
    task = asyncio.create_task(tally.go_on(stop, also))
    try:
        yield
    finally:
        stop.set()
        await task


def _id(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Return the id that the caller gave the request, when it is one; else a new one."""
    for name, value in headers:
        if name == HEADER and WELL_FORMED.fullmatch(value):
            return value.decode("ascii")
    return uuid4().hex


def _network(path: str) -> str:
    name = path.split("/", 3)[2] if path.startswith("/n/") else ""
    return name if NAME.fullmatch(name) else ""
