"""Ending the e-mails that can be ended: by the link in them, without an account; mail programs do it with one click."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from admin.visit import Visit
from admin.web import here, render
from models.actor import SYSTEM
from workflows import preferences
from workflows.unit import write

LONGEST = 10_000
"""So many bytes of a request are read at most: forms of one line."""


async def shown(request: Request) -> Response:
    """Ask whether to end them, or to begin again; looking alone ends nothing."""
    visit = here(request)
    who = _who(visit, request)
    if who is None:
        return await _gone(request)
    ended = await visit.tenant.store.read(lambda tx: preferences.unsubscribed(tx, who))
    return await render(request, "unsubscribe/page.html", bare=True, ended=ended)


async def sent(request: Request) -> Response:
    """End them, as RFC 8058 has it or by the button; or begin again."""
    visit = here(request)
    who, body = _who(visit, request), await _body(request)
    if who is None or body is None:
        return await _gone(request)
    again = b"again=true" in body
    await write(
        visit.tenant,
        SYSTEM,
        lambda unit: (
            preferences.choose(unit, who, "unsubscribed", wanted=False) if again else preferences.unsubscribe(unit, who)
        ),
    )
    if b"One-Click" in body:
        return PlainTextResponse("")
    return await render(request, "unsubscribe/page.html", bare=True, ended=not again)


async def _gone(request: Request) -> Response:
    return await render(request, "signin/gone.html", status=404, bare=True, invitation=False, resets=False)


async def _body(request: Request) -> bytes | None:
    """Return what was sent, None where it is more than such a form."""
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > LONGEST:
            return None
    return bytes(found)


def _who(visit: Visit, request: Request) -> str | None:
    return preferences.who_of(visit.tenant.vault, request.path_params["token"])


routes: list[BaseRoute] = [
    Route("/unsubscribe/{token}", shown),
    Route("/unsubscribe/{token}", sent, methods=["POST"]),
]
