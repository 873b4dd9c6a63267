"""The two servers that are measured over HTTP: the product (`ours`), and bare Starlette with the same SQL (`bare`).

`python -m benchmarks.served ours|bare FOLDER PORT` serves until it is ended. The outbox is nobody's work here: what is
measured is the request. The bare one writes through the same store, so that durability and grouping are the same.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from admin.settings import Settings
from benchmarks import raw
from benchmarks.world import NAME
from models.sqlite import SqliteStore
from server import compose


def bare(folder: Path) -> Starlette:
    """Return an application that does the SQL of a request and answers with JSON: the floor under the product."""
    store = SqliteStore(folder / f"{NAME}.sqlite")

    async def listing(_: Request) -> JSONResponse:
        return JSONResponse(await store.read(raw.listing))

    async def one(request: Request) -> JSONResponse:
        record = request.path_params["id"]
        return JSONResponse(await store.read(lambda tx: raw.one(tx, record)))

    async def move(request: Request) -> JSONResponse:
        form = await request.form()
        record, comment = request.path_params["id"], str(form["comment"])
        return JSONResponse({"version": await store.write(lambda tx: raw.move(tx, record, comment))})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await store.close()

    routes = [Route("/list", listing), Route("/{id}", one), Route("/{id}/move", move, methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)


def main(which: str, folder: Path, port: int) -> None:
    """Serve one of the two."""
    app = bare(folder) if which == "bare" else compose(Settings(folder, secret="none"), works=False)  # noqa: S106 - of a network that is thrown away
    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
