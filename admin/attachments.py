"""Files on their way out: never more than a file to a browser, and asked for anew each time."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from models.attachment import Attachment

SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Whatever a browser does with a file, nothing in it runs and nothing is loaded."""


def carrying(request: Request, found: Attachment, path: Path, *, inline: bool = False, small: bool = False) -> Response:
    """Return the answer with a content; `inline` shows it in its place (pictures of ours alone).

    A browser that has it already is told so: the right to it was asked for before.
    """
    mark = f'"{found.sha}{"-small" if small else ""}"'
    headers = {**_headers(found, inline=inline and found.is_picture), "ETag": mark}
    if request.headers.get("if-none-match") == mark:
        return Response(status_code=304, headers=headers)
    kind = "image/webp" if small else found.type
    if kind.startswith("text/"):
        kind = f"{kind}; charset=utf-8"
    return FileResponse(path, headers=headers, media_type=kind)


def _headers(found: Attachment, *, inline: bool) -> dict[str, str]:
    plain = "".join(letter if letter.isascii() and letter not in '"\\' else "_" for letter in found.name)
    place = "inline" if inline else "attachment"
    return {
        "Content-Disposition": f"{place}; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}",
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie, Authorization",
    }
