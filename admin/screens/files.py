"""Files of records: sent to who may read the record and its field, and to nobody else."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from admin.parts.subject import reading, subject
from admin.web import here
from models.attachment import Attachment
from models.errors import NotFoundError

SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Whatever a browser does with a file, nothing in it runs and nothing is loaded."""


async def download(request: Request) -> Response:
    """Answer with a file, to be saved; with `shown` in the query a picture is shown in its place."""
    found = await _file(request)
    inline = found.is_picture and "shown" in request.query_params
    return await sent(request, found, inline=inline)


async def small(request: Request) -> Response:
    """Answer with the small form of a picture."""
    found = await _file(request)
    if not found.is_picture:
        raise NotFoundError
    path = await here(request).tenant.contents.small(found.sha)
    headers = {**_headers(found, inline=True), "ETag": f'"{found.sha}-small"'}
    return _unchanged(request, headers) or FileResponse(path, headers=headers, media_type="image/webp")


async def sent(request: Request, found: Attachment, *, inline: bool) -> Response:
    """Return the response that carries a file; `inline` for pictures of ours alone."""
    path = here(request).tenant.contents.path(found.sha)
    if not await asyncio.to_thread(path.is_file):
        raise NotFoundError
    headers = {**_headers(found, inline=inline), "ETag": f'"{found.sha}"'}
    kind = f"{found.type}; charset=utf-8" if found.type.startswith("text/") else found.type
    return _unchanged(request, headers) or FileResponse(path, headers=headers, media_type=kind)


def _headers(found: Attachment, *, inline: bool) -> dict[str, str]:
    plain = "".join(letter if letter.isascii() and letter not in '"\\' else "_" for letter in found.name)
    place = "inline" if inline else "attachment"
    return {
        "Content-Disposition": f"{place}; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}",
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Cookie",
    }


def _unchanged(request: Request, headers: dict[str, str]) -> Response | None:
    """Return the answer to a browser that has it already; its right to it was asked for anew."""
    return (
        Response(status_code=304, headers=headers) if request.headers.get("if-none-match") == headers["ETag"] else None
    )


async def _file(request: Request) -> Attachment:
    """Return the file that the address names; `NotFoundError` when there is none, or none that the visitor may read."""
    about, name = subject(request), request.path_params["field"]
    record = await reading(about.visit, lambda records: records.get(about.entity.name, request.path_params["id"]))
    found = record.values.get(name) if about.column(name) is not None else None
    if not isinstance(found, Attachment):
        raise NotFoundError
    return found


routes = [
    Route("/e/{entity}/{id}/files/{field}", download, methods=["GET"], name="file"),
    Route("/e/{entity}/{id}/files/{field}/small", small, methods=["GET"], name="picture"),
]
