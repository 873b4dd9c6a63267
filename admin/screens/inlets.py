"""Hooks that other systems call: the door that they come to, and the page on which leaders give out its secrets."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from admin.entering import origin
from admin.limits import headers
from admin.visit import Visit
from admin.web import here, render
from models.limits import Limiter, Verdict
from models.message import Message, say
from workflows import inlets
from workflows.inlets import CallRefusedError, Inbound, Inlet
from workflows.unit import Unit, read, write

PROBLEM = "application/problem+json"
TITLES: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
}


class TooManyError(CallRefusedError):
    """More calls than the hook takes."""

    def __init__(self, verdict: Verdict) -> None:
        """Keep when there may be one more."""
        super().__init__(429, say("So many requests at once are not answered. Wait a moment, then try again."))
        self.verdict = verdict


async def taken(request: Request) -> Response:
    """Take a call: 202 with the runs that it began, at once; they go on by themselves."""
    visit, hook = here(request), request.path_params["inlet"]
    limiter: Limiter = request.app.state.limiter

    def fits() -> None:
        verdict = limiter.take([("inlet", f"{visit.tenant.name}/{hook}")])
        if verdict is not None and not verdict.allowed:
            raise TooManyError(verdict)

    try:
        asked = inlets.Request(hook, dict(request.headers), await _body(request))
        found = await inlets.take(visit.tenant, asked, fits)
    except TooManyError as error:
        return _refused(visit, error.status, error.message, headers(error.verdict))
    except CallRefusedError as error:
        return _refused(visit, error.status, error.message)
    return JSONResponse({"id": found.message, "runs": list(found.runs), "repeated": found.again}, 202)


async def _body(request: Request) -> bytes:
    """Return the body, which is JSON and no larger than it may be; no more of it than that is read."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise CallRefusedError(415, say("A call brings JSON: its Content-Type is application/json."))
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > inlets.LARGEST:
            raise CallRefusedError(413, say("The body has more than {n} kB.", n=inlets.LARGEST // 1024))
    return bytes(body)


def _refused(visit: Visit, status: int, why: Message, more: Mapping[str, str] | None = None) -> Response:
    body = {"type": "about:blank", "title": TITLES[status], "status": status, "detail": visit.words(why)}
    return JSONResponse(body, status, headers=more, media_type=PROBLEM)


async def shown(request: Request) -> Response:
    """Show who runs the network its hooks and the latest calls."""
    return await _page(request)


async def _page(request: Request, drawn: tuple[str, str] | None = None) -> Response:
    visit = here(request)

    async def work(unit: Unit) -> tuple[list[Inlet], list[Inbound]]:
        return await inlets.known(unit), await inlets.latest(unit)

    known, calls = await read(visit.tenant, visit.actor, work)
    return await render(
        request,
        "api/inlets.html",
        inlets=[(each, f"{origin(request)}{visit.url('hooks', each.name)}") for each in known],
        calls=[(each, visit.formats.due(each.at)) for each in calls],
        drawn=drawn,
    )


async def draw(request: Request) -> Response:
    """Draw a hook's secret and show it, this once."""
    visit, hook = here(request), request.path_params["inlet"]
    secret = await write(visit.tenant, visit.actor, lambda unit: inlets.draw(unit, hook))
    response = await _page(request, (hook, secret))
    response.headers["Cache-Control"] = "no-store"
    return response


routes: list[BaseRoute] = [
    Route("/hooks/{inlet}", taken, methods=["POST"]),
    Route("/api/inlets", shown),
    Route("/api/inlets/{inlet}/secret", draw, methods=["POST"]),
]
