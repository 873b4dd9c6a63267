"""The two servers that are measured over HTTP: the product (`ours`), and bare Starlette with the same SQL (`bare`).

`python -m benchmarks.served ours|bare FOLDER PORT [URL]` serves until it is ended: the file in the folder, or the
schema of the database at URL. The outbox is nobody's work here: what is measured is the request.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from admin.settings import Settings
from benchmarks import raw
from benchmarks.floor import floor_of
from benchmarks.people import known_and_kept
from benchmarks.raw import NAMES, Raw, Row
from benchmarks.world import NAME
from models.stores import Home, home_of
from server import compose


class Bare:
    """Handlers that do the SQL of a request and answer with JSON: the floor under the product."""

    def __init__(self, home: Home) -> None:
        """Connect to the network at `home`."""
        self.floor = floor_of(home)

    async def listing(self, request: Request) -> Response:
        """Answer with a page of leads."""

        async def work(tx: Raw) -> list[Mapping[str, Any]]:
            return [_named(row) for row in await raw.listing(tx, await raw.who(tx, _bearer(request)))]

        return _json({"items": await self.floor.read(work)})

    async def one(self, request: Request) -> Response:
        """Answer with a lead."""

        async def work(tx: Raw) -> Row:
            return await raw.one(tx, await raw.who(tx, _bearer(request)), request.path_params["id"])

        return _json(list(await self.floor.read(work)))

    async def move(self, request: Request) -> Response:
        """Move a lead."""
        form, path = json.loads(await request.body()), request.path_params

        async def work(tx: Raw) -> str:
            return await raw.move(tx, await raw.who(tx, _bearer(request)), path["id"], path["move"], form["comment"])

        return _json({"history": await self.floor.write(work)})

    async def create(self, request: Request) -> Response:
        """Make leads."""
        items = json.loads(await request.body())["items"]
        emails, after = known_and_kept(items)

        async def work(tx: Raw) -> int:
            return await raw.create(tx, await raw.who(tx, _bearer(request)), items, emails, after)

        return _json({"done": await self.floor.write(work)})


def bare(home: Home) -> Starlette:
    """Return an application of nothing but the handlers."""
    handlers = Bare(home)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await handlers.floor.close()

    routes = [
        Route("/list", handlers.listing),
        Route("/bulk", handlers.create, methods=["POST"]),
        Route("/{id}", handlers.one),
        Route("/{id}/{move}", handlers.move, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _bearer(request: Request) -> str:
    return request.headers["authorization"].removeprefix("Bearer ")


def _named(row: Row) -> Mapping[str, Any]:
    return dict(zip(NAMES, row, strict=True))


def _json(body: Any) -> Response:
    return Response(
        json.dumps(body, default=_text, ensure_ascii=False, separators=(",", ":")), media_type="application/json"
    )


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def main(which: str, folder: str, port: str, url: str | None = None) -> None:
    """Serve one of the two."""
    settings = Settings(Path(folder), secret="none", database_url=url)  # noqa: S106 - of a network that is thrown away
    app = bare(home_of(settings.homes, NAME)) if which == "bare" else compose(settings, works=False)
    uvicorn.run(app, port=int(port), log_level="warning")


if __name__ == "__main__":
    main(*sys.argv[1:])
