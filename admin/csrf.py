"""Refuse unsafe requests that another site sent: a token in the form or a header, and the page's origin."""

from __future__ import annotations

import hmac

from python_multipart.multipart import parse_options_header
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Receive, Scope

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "_csrf"
HEADERS = ("x-csrf-token", "x-csrftoken")
"""The second is what piccolo-admin's pages send."""
CHARSETS = frozenset({"", "utf-8", "us-ascii"})
"""Ways of writing text that a form may be in: others can make characters that no store keeps."""
BODY_LIMIT = 10 * 1024 * 1024


class ForgedError(Exception):
    """An unsafe request that does not prove that our page sent it (403), or that cannot be read (400, 413)."""

    def __init__(self, status: int = 403) -> None:
        """Keep the HTTP status."""
        self.status = status
        super().__init__(f"refused with {status}")


def same_origin(connection: HTTPConnection) -> bool:
    """Whether the browser says that our own page sent the request; programs that say nothing pass to the token."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    return origin.partition("://")[2] == connection.headers.get("host")


async def check(scope: Scope, receive: Receive, token: str) -> Receive:
    """Return a `receive` that gives the body (again); `ForgedError` when it does not prove that it is ours."""
    request = Request(scope, receive)
    if not same_origin(request):
        raise ForgedError
    if _charset(request) not in CHARSETS:
        raise ForgedError(400)
    sent = next((request.headers[name] for name in HEADERS if name in request.headers), None)
    if sent is None:
        body = await _body(receive)
        receive = _replay(body, receive)
        sent = await _from_form(Request(scope, _replay(body)))
    if not hmac.compare_digest((sent or "").encode(), token.encode()):
        raise ForgedError
    return receive


def _charset(request: Request) -> str:
    """Return how the body's text is written, as far as its headers say so."""
    _, options = parse_options_header(request.headers.get("content-type", ""))
    return options.get(b"charset", b"").decode("latin-1").lower()


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ForgedError(400)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            raise ForgedError(413)
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, after: Receive | None = None) -> Receive:
    """Return a `receive` that gives the body, then what comes `after` it: an answer that is streamed waits for that."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if waiting or after is None:
            return waiting.pop() if waiting else {"type": "http.disconnect"}
        return await after()

    return receive


async def _from_form(request: Request) -> str | None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if kind == "application/x-www-form-urlencoded":
            form = await FormParser(request.headers, request.stream()).parse()
        elif kind == "multipart/form-data":
            form = await MultiPartParser(request.headers, request.stream()).parse()
        else:
            return None
    except MultiPartException:
        raise ForgedError(400) from None
    try:
        value = form.get(FIELD)
        return value if isinstance(value, str) else None
    finally:
        await form.close()
