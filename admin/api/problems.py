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
from definitions.text import Text
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError, RequestError
from models.message import Message, say
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
    409: say("Somebody changed this record meanwhile."),
    412: say("The record is not as you read it."),
    413: say("This is too large to be sent."),
    415: say("Only JSON can be read."),
    422: say("Some values need your attention."),
    428: say("Say which version of the record you read, as If-Match."),
    500: say("Something went wrong on our side. Nothing was changed; please try again."),
}
NAMES: Mapping[int, str] = {
    400: "unreadable",
    401: "unauthorized",
    403: "refused",
    404: "not_found",
    405: "not_allowed",
    406: "not_acceptable",
    409: "conflict",
    412: "changed",
    413: "too_large",
    415: "unsupported_type",
    422: "invalid",
    428: "version_needed",
    500: "failed",
}
"""What stands behind `urn:maille:problem:` in the type of a problem, by status."""

log = structlog.get_logger(__name__)


class ApiError(Exception):
    """A request that the API itself refuses, before anybody is asked; `detail` says more than the status does."""

    def __init__(self, status: int, detail: Message | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Keep what is answered."""
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        super().__init__(str(detail or TITLES[status]))


def unauthorized() -> ApiError:
    """Return the answer to who shows no valid token."""
    return ApiError(401, headers={"WWW-Authenticate": "Bearer"})


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error."""
    match error:
        case ApiError(status=status):
            return status
        case NotFoundError():
            return 404
        case OtherRequestError() | InvalidError():
            return 422
        case RefusedError():
            return 403
        case ConflictError():
            return 412
        case HTTPException(status_code=status) if status in TITLES:
            return status
        case RequestError():
            return 400
        case _:
            return 500


def problem(error: Exception, words: Words) -> dict[str, Any]:
    """Return an error as a problem's members."""
    status = status_of(error)
    found: dict[str, Any] = {
        "type": f"urn:maille:problem:{NAMES[status]}",
        "title": words(TITLES[status]),
        "status": status,
    }
    detail = _detail(error)
    if detail is not None:
        found["detail"] = words(detail)
    if isinstance(error, InvalidError):
        found["fields"] = {name: words(said) for name, said in error.fields.items()}
    if isinstance(error, ConflictError):
        found["version"] = error.current
    return found


def _detail(error: Exception) -> Message | Text | None:
    if isinstance(error, ApiError):
        return error.detail
    if isinstance(error, NotFoundError | InvalidError) or not isinstance(error, RequestError):
        return None
    return error.message


def answer(error: Exception, words: Words) -> Response:
    """Return the response to an error."""
    status = status_of(error)
    headers = dict(error.headers) if isinstance(error, ApiError) else {}
    if isinstance(error, HTTPException) and error.headers:
        headers |= error.headers
    if isinstance(error, ConflictError):
        headers["ETag"] = f'"{error.current}"'
    body = json.dumps(problem(error, words), ensure_ascii=False)
    return Response(body, status, headers, MEDIA)


async def handled(request: Request, error: Exception) -> Response:
    """Return the response to an error, in the caller's language as far as it is known; log what is our fault."""
    call = getattr(request.state, "call", None)
    if status_of(error) == 500:
        log.error("the API failed", path=request.url.path, exc_info=error)
    if call is not None:
        return answer(error, call.words)
    language = preferred(request.headers.get("accept-language", ""), languages()) or "en"
    return answer(error, catalogue(language).words)


KINDS: tuple[type[Exception], ...] = (ApiError, RequestError, HTTPException, Exception)
HANDLERS: Mapping[Any, ExceptionHandler] = dict.fromkeys(KINDS, handled)
