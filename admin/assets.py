"""Style sheets, scripts and htmx, served below an address that changes with their content: browsers keep them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
HTMX = ("js_lib_htmx", "static/htmx")


@cache
def fingerprint() -> str:
    """Return a short hash of everything that is served below `/static`."""
    digest = hashlib.sha256()
    htmx = files(HTMX[0]).joinpath(HTMX[1], "htmx.min.js")
    digest.update(htmx.read_bytes())
    for path in sorted(path for path in STATIC.rglob("*") if path.is_file()):
        digest.update(path.relative_to(STATIC).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def static(path: str) -> str:
    """Return the address of a file in `admin/static` (or of `htmx.min.js`)."""
    return f"/static/{fingerprint()}/{path}"


class Assets(StaticFiles):
    """Files that never change at their address: kept for a year, but only below the present fingerprint."""

    def __init__(self) -> None:
        """Serve our folder, then htmx out of its package."""
        super().__init__(directory=STATIC, packages=[HTMX])

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file below the fingerprint; an older fingerprint gets today's file, not to be kept."""
        mark, _, name = path.partition("/")
        response = await super().get_response(name, scope)
        current = mark == fingerprint()
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        return response
