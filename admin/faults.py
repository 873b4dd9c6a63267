"""Every refusal and failure, as a page in the visitor's language, as a note for htmx, or as JSON."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ExceptionHandler

from admin.api import problems
from admin.api.addresses import within
from admin.headers import SAFE_HEADERS
from admin.i18n import catalogue, languages, preferred
from admin.parts.reader import Reader
from admin.unmet import Condition, conditions
from admin.visit import Visit
from admin.web import Toast, environment, render, toast_header
from definitions.text import Text
from models.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PublishedMeanwhileError,
    RefusedError,
    RequestError,
)
from models.message import Message, say
from models.store import MAYBE, StoreError, UnknownError
from workflows.guards import UnmetError

log = structlog.get_logger(__name__)

STATUSES: dict[type[RequestError], int] = {
    NotFoundError: 404,
    RefusedError: 403,
    UnmetError: 403,
    ConflictError: 409,
    PublishedMeanwhileError: 409,
    InvalidError: 422,
}
SENTENCES: dict[int, Message] = {
    400: say("The browser sent something that cannot be read."),
    403: say("This form is too old or came from elsewhere. Go back, load the page again and repeat."),
    404: say("This page does not exist, or you may not see it."),
    405: say("This cannot be done here."),
    413: say("This is too large to be sent."),
    429: say("So many requests at once are not answered. Wait a moment, then try again."),
    503: say("This network cannot be used at the moment. Nothing was changed; please try again later."),
    500: say("Something went wrong on our side. Nothing was changed; please try again."),
}


def sentence(visit: Visit, status: int) -> str:
    """Return what the product says for an HTTP status."""
    return visit.words(SENTENCES.get(status, SENTENCES[500]))


async def page(request: Request, status: int, text: str, asks: tuple[Condition, ...] = ()) -> Response:
    """Return the refusal in the form that was asked for; `asks` is what a guard asks for that refused."""
    visit = request.state.visit
    if visit.htmx:
        return Response(text, status, {"HX-Trigger": toast_header(Toast(text, kind="refused"))}, "text/plain")
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": text}, status)
    return await render(request, "errors/fault.html", status=status, code=status, text=text, conditions=asks)


def outside(request: Request, status: int, said: Message | Text | None = None) -> Response:
    """Return the page for an address that is in no network; `said` is what it says, if not the usual."""
    language = preferred(request.headers.get("accept-language", ""), languages()) or "en"
    spoken = catalogue(language)
    text = spoken.words(said or SENTENCES.get(status, SENTENCES[500]))
    template = environment.get_template("errors/outside.html")
    later = {"Retry-After": str(problems.PAUSE)} if status == 503 else None
    return HTMLResponse(template.render(text=text, code=status, language=language, _=spoken.gettext), status, later)


def too_many(request: Request, headers: Mapping[str, str]) -> Response:
    """Return the answer to who asks for too much, made without asking any store."""
    visit = request.state.visit
    said = sentence(visit, 429)
    if visit.htmx:
        return Response(said, 429, {**headers, "HX-Trigger": toast_header(Toast(said, kind="refused"))}, "text/plain")
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": said}, 429, headers)
    response = outside(request, 429)
    response.headers.update(headers)
    return response


async def _answer(request: Request, error: Exception) -> Response:
    if within(request.scope["path"]):  # an address that not even the API's routes know
        return await problems.handled(request, error)
    status, said = _reading(error)
    visit = getattr(request.state, "visit", None)
    if isinstance(error, StoreError):
        log.error("the store failed", path=request.url.path, reason=str(error))
        part = visit is not None and (visit.htmx or "application/json" in request.headers.get("accept", ""))
        visit = visit if part else None  # a page with its menu would ask the store again
    if visit is None:
        response = outside(request, status, said)
    else:
        asks = _conditions(visit, error) if isinstance(error, UnmetError) else ()
        response = await page(request, status, visit.words(said), asks)
    if status == 503:
        response.headers["Retry-After"] = str(problems.PAUSE)
    for name, value in SAFE_HEADERS.items():  # a failure is answered from outside of all middleware
        response.headers.setdefault(name, value)
    return response


def _conditions(visit: Visit, error: UnmetError) -> tuple[Condition, ...]:
    return conditions(Reader(visit.network, visit.formats), error.transition, error.parts)


def _reading(error: Exception) -> tuple[int, Message | Text]:
    """Return the HTTP status of an error and its sentence: the one place that maps them."""
    if isinstance(error, RequestError):
        return STATUSES.get(type(error), 400), error.message
    if isinstance(error, StoreError):
        return 503, MAYBE if isinstance(error, UnknownError) else SENTENCES[503]
    status = error.status_code if isinstance(error, HTTPException) else 500
    return status, SENTENCES.get(status, SENTENCES[500])


REFUSALS: tuple[type[Exception], ...] = (RequestError, StoreError, HTTPException, Exception)
HANDLERS: dict[type[Exception] | int, ExceptionHandler] = dict.fromkeys(REFUSALS, _answer)
