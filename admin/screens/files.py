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


async def download(request: Request) -> Response:
    """Answer with a file, to be saved; with `shown` in the query a picture is shown in its place."""
    found = await _file(request)
    path = here(request).tenant.contents.path(found.sha)
    return carrying(request, found, path, inline="shown" in request.query_params)


async def small(request: Request) -> Response:
    """Answer with the small form of a picture."""
    found = await _file(request)
    if not found.is_picture:
        raise NotFoundError
    path = await here(request).tenant.contents.small(found.sha)
    return carrying(request, found, path, inline=True, small=True)


async def _file(request: Request) -> Attachment:
    """Return the file that the address names; `NotFoundError` when there is none, or none that the visitor may read."""
    about, name = subject(request), request.path_params["field"]
    record = await reading(about.visit, lambda records: records.get(about.entity.name, request.path_params["id"]))
    found = record.values.get(name) if about.column(name) is not None else None
    if not isinstance(found, Attachment):
        raise NotFoundError
    if not await asyncio.to_thread(about.visit.tenant.contents.path(found.sha).is_file):
        raise NotFoundError
    return found


routes = [
    Route("/e/{entity}/{id}/files/{field}", download, methods=["GET"], name="file"),
    Route("/e/{entity}/{id}/files/{field}/small", small, methods=["GET"], name="picture"),
]
