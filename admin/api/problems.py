"""Every refusal and failure of the API as `application/problem+json` (RFC 9457), in the caller's language."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from admin.i18n import catalogue, languages, preferred
from admin.parts.reader import Reader
from admin.unmet import conditions, told
from definitions.problems import DefinitionError, Problem
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
from workflows.replays import OtherRequestError

MEDIA = "application/problem+json"
Words = Callable[[Message | Text | str], str]

TITLES: Mapping[int, Message] = {
    400: say("The request cannot be read."),
    401: say("A valid token is needed."),
    403: say("This is refused."),
    404: say("There is no such thing, or you may not see it."),
    405: say("This cannot be done here."),
    406: say("Only JSON can be answered."),
    409: say("Another version was published meanwhile."),
    412: say("The record is not as you read it."),
    413: say("This is too large to be sent."),
    415: say("Only JSON can be read."),
    422: say("Some values need your attention."),
    428: say("Say which version of the record you read, as If-Match."),
    429: say("So many requests at once are not answered. Wait a moment, then try again."),
    500: say("Something went wrong on our side. Nothing was changed; please try again."),
    503: say("This network cannot be used at the moment. Nothing was changed; please try again later."),
}
NAMES: Mapping[int, str] = {
    400: "unreadable",
    401: "unauthorized",
    403: "refused",
    404: "not_found",
    405: "not_allowed",
    406: "not_acceptable",
    409: "published_meanwhile",
    412: "changed",
    413: "too_large",
    415: "unsupported_type",
    422: "invalid",
    428: "version_needed",
    429: "too_many",
    500: "failed",
    503: "unavailable",
}
"""What stands behind `urn:maille:problem:` in the type of a problem, by status."""

PAUSE = 5
"""Seconds that who meets a network that cannot be used is asked to wait."""

log = structlog.get_logger(__name__)


class ApiError(Exception):
    """A request that the API itself refuses, before anybody is asked; `detail` says more than the status does."""

    def __init__(self, status: int, detail: Message | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Keep what is answered."""
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        super().__init__(str(detail or TITLES[status]))


def unauthorized(*, invalid: bool = False) -> ApiError:
    """Return the answer to who shows no token, or one that is not valid (`invalid`)."""
    return ApiError(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"' if invalid else "Bearer"})


STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (NotFoundError, 404),
    (OtherRequestError, 422),
    (InvalidError, 422),
    (DefinitionError, 422),
    (RefusedError, 403),
    (ConflictError, 412),
    (PublishedMeanwhileError, 409),
    (RequestError, 400),
    (StoreError, 503),
)
"""The status of each kind of error: the first that fits."""


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, ApiError):
        return error.status
    if isinstance(error, HTTPException):
        return error.status_code if error.status_code in TITLES else 500
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def problem(error: Exception, words: Words, reader: Reader | None = None) -> dict[str, Any]:
    """Return an error as a problem's members; `reader` is who is told what a guard asks for."""
    status = status_of(error)
    found: dict[str, Any] = {
        "type": f"urn:maille:problem:{NAMES[status]}",
        "title": words(MAYBE if isinstance(error, UnknownError) else TITLES[status]),
        "status": status,
    }
    detail = _detail(error)
    if detail is not None:
        found["detail"] = words(detail)
    if isinstance(error, UnmetError) and reader is not None:
        found["conditions"] = told(conditions(reader, error.transition, error.parts))
    if isinstance(error, InvalidError):
        found["fields"] = {name: words(said) for name, said in error.fields.items()}
    if isinstance(error, ConflictError | PublishedMeanwhileError):
        found["version"] = error.current
    if isinstance(error, PublishedMeanwhileError) and error.changed:
        found["changed"] = list(error.changed)
    if isinstance(error, DefinitionError):
        found["problems"] = [problem_of(each, words) for each in error.problems]
    return found


def problem_of(problem: Problem, words: Words) -> dict[str, Any]:
    """Return a problem of definitions with its place, in the form that `maille check --format json` has."""
    place = {"file": problem.place.file, "line": problem.place.line, "column": problem.place.column}
    said = {"message": words(problem.message), "hint": words(problem.hint)}
    return {"code": problem.code, "severity": problem.severity, **place, **said}


def _detail(error: Exception) -> Message | Text | None:
    if isinstance(error, ApiError):
        return error.detail
    if isinstance(error, NotFoundError | InvalidError) or not isinstance(error, RequestError):
        return None
    return error.message


def answer(error: Exception, words: Words, reader: Reader | None = None) -> Response:
    """Return the response to an error; see `problem`."""
    status = status_of(error)
    headers = dict(error.headers) if isinstance(error, ApiError) else {}
    if isinstance(error, HTTPException) and error.headers:
        headers |= error.headers
    if status == 503:
        headers["Retry-After"] = str(PAUSE)
    if isinstance(error, ConflictError):
        headers["ETag"] = f'"{error.current}"'
    body = json.dumps(problem(error, words, reader), ensure_ascii=False)
    return Response(body, status, headers, MEDIA)


async def handled(request: Request, error: Exception) -> Response:
    """Return the response to an error, in the caller's language as far as it is known; log what is our fault."""
    call = getattr(request.state, "call", None)
    if status_of(error) >= 500:
        shown = error if status_of(error) == 500 else None
        log.error("the API failed", path=request.url.path, reason=str(error), exc_info=shown)
    if call is not None:
        return answer(error, call.words, call.reader)
    language = preferred(request.headers.get("accept-language", ""), languages()) or "en"
    return answer(error, catalogue(language).words)


KINDS: tuple[type[Exception], ...] = (ApiError, RequestError, DefinitionError, StoreError, HTTPException, Exception)
HANDLERS: Mapping[Any, ExceptionHandler] = dict.fromkeys(KINDS, handled)
