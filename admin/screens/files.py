"""Files of records: sent to who may read the record and its field, and to nobody else."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from admin.attachments import carrying
from admin.parts.subject import reading, subject
from admin.web import here
from models.attachment import Attachment
from models.errors import NotFoundError
from models.records import Records
from workflows.answered import answered
from workflows.unit import read


async def download(request: Request) -> Response:
    """Answer with a file, to be saved; with `shown` in the query a picture is shown in its place."""
    found = await _file(request)
    path = here(request).tenant.contents.path(found.sha)
    return carrying(request, found, path, inline="shown" in request.query_params)


async def small(request: Request) -> Response:
    """Answer with the small form of a picture: a part of the page that shows it, noted as that is."""
    found = await _file(request, part=True)
    if not found.is_picture:
        raise NotFoundError
    path = await here(request).tenant.contents.small(found.sha)
    return carrying(request, found, path, inline=True, small=True)


async def answer(request: Request) -> Response:
    """Answer with a file that the form of a move was answered with."""
    about, path = subject(request), request.path_params
    of = (about.entity.name, path["id"])
    visit = about.visit
    found = await read(visit.tenant, visit.actor, lambda unit: answered(unit, of, path["history"], path["field"]))
    content = visit.tenant.contents.path(found.sha)
    if not await asyncio.to_thread(content.is_file):
        raise NotFoundError
    return carrying(request, found, content)


async def _file(request: Request, *, part: bool = False) -> Attachment:
    """Return the file that the address names; `NotFoundError` when there is none, or none that the visitor may read."""
    about, name, record = subject(request), request.path_params["field"], request.path_params["id"]
    if about.column(name) is None:
        raise NotFoundError

    async def work(records: Records) -> object:
        if part:
            return (await records.get(about.entity.name, record)).values.get(name)
        return await records.download(about.entity.name, record, name)

    found = await reading(about.visit, work)
    if not isinstance(found, Attachment):
        raise NotFoundError
    if not await asyncio.to_thread(about.visit.tenant.contents.path(found.sha).is_file):
        raise NotFoundError
    return found


routes = [
    Route("/e/{entity}/{id}/files/{field}", download, methods=["GET"], name="file"),
    Route("/e/{entity}/{id}/history/{history}/files/{field}", answer, methods=["GET"], name="answer"),
    Route("/e/{entity}/{id}/files/{field}/small", small, methods=["GET"], name="picture"),
]
