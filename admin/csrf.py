"""Refuse unsafe requests that another site sent: a token in the form or a header, and the page's origin."""

from __future__ import annotations

import hmac

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException
from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Receive, Scope

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "_csrf"
HEADERS = ("x-csrf-token", "x-csrftoken")
"""The second is what piccolo-admin's pages send."""
CHARSETS = frozenset({"", "utf-8", "us-ascii"})
"""Ways of writing text that a form may be in: others can make characters that no store keeps."""
BODY_LIMIT = 10 * 1024 * 1024
MOST_FIELDS = 100_000
"""Fields of a form at most: a record may have a thousand lines; the body's length bounds them anyway."""
MULTIPART = "multipart/form-data"
LONGEST_START = 1 << 16
"""So many bytes of a form with files are looked at for the token."""


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


async def check(scope: Scope, receive: Receive, token: str, *, files: int = BODY_LIMIT) -> Receive:
    """Return a `receive` that gives the body (again); `ForgedError` when it does not prove that it is ours.

    A form with files (at most `files` bytes) has its token first, and no more of it is read here. Whoever reads more
    than is allowed gets an `HTTPException` (413).
    """
    request = Request(scope, receive)
    multipart = media(request) == MULTIPART
    most = files if multipart else BODY_LIMIT
    if declared(request) > most:
        raise ForgedError(413)
    receive = limited(receive, most)
    if not same_origin(request):
        raise ForgedError
    if _charset(request) not in CHARSETS:
        raise ForgedError(400)
    sent = next((request.headers[name] for name in HEADERS if name in request.headers), None)
    if sent is None and multipart:
        receive, sent = await _first(request, receive)
    elif sent is None:
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


def media(request: Request) -> str:
    """Return what the body says that it is."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def declared(request: Request) -> int:
    """Return how long the body says that it is, 0 when it does not say so."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isdecimal() and len(said) < 20 else 0


def limited(receive: Receive, most: int) -> Receive:
    """Return a `receive` that gives at most so many bytes, then raises `HTTPException` (413)."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(413)
        return message

    return counted


async def _part(receive: Receive) -> Message:
    """Return the next part of the body."""
    try:
        message = await receive()
    except HTTPException:
        raise ForgedError(413) from None
    if message["type"] == "http.disconnect":
        raise ForgedError(400)
    return message


async def _body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await _part(receive)
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _first(request: Request, receive: Receive) -> tuple[Receive, str | None]:
    """Return a `receive` that gives all of a form, and the token that is its first field."""
    field = _FirstField(request)
    body = b""
    more = True
    while more and not field.ended:
        message = await _part(receive)
        part = message.get("body", b"")
        body, more = body + part, message.get("more_body", False)
        field.take(part)
        if len(body) > LONGEST_START + len(part):
            raise ForgedError
    return _replay(body, receive, more=more), field.text if field.name == FIELD else None


class _FirstField:
    """Reads a form as far as its first field goes."""

    def __init__(self, request: Request) -> None:
        _, options = parse_options_header(request.headers.get("content-type", ""))
        self.name = ""
        self.ended = False
        self._value = b""
        self._header = b""
        self._headers: dict[bytes, bytes] = {}
        callbacks = {
            "on_header_field": self._on_name,
            "on_header_value": self._on_value,
            "on_part_data": self._on_data,
            "on_part_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(options.get(b"boundary", b""), callbacks)  # type: ignore[arg-type] # the callbacks of its protocol
        except FormParserError:
            raise ForgedError(400) from None

    @property
    def text(self) -> str:
        """What the field holds."""
        return self._value.decode("utf-8", "replace")

    def take(self, part: bytes) -> None:
        """Read on."""
        try:
            self._parser.write(part)
        except FormParserError:
            raise ForgedError(400) from None

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._header = data[start:end].lower()

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        if not self.ended and self._header == b"content-disposition":
            self._headers[self._header] = self._headers.get(self._header, b"") + data[start:end]

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if not self.ended:
            self._value += data[start : min(end, start + LONGEST_START)]

    def _on_end(self) -> None:
        if not self.ended:
            _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
            self.name = options.get(b"name", b"").decode("latin-1")
            self.ended = True


def _replay(body: bytes, after: Receive | None = None, *, more: bool = False) -> Receive:
    """Return a `receive` that gives the body, then what comes `after` it: an answer that is streamed waits for that."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": more}]

    async def receive() -> Message:
        if waiting or after is None:
            return waiting.pop() if waiting else {"type": "http.disconnect"}
        return await after()

    return receive


async def _from_form(request: Request) -> str | None:
    if media(request) != "application/x-www-form-urlencoded":
        return None
    try:
        form = await FormParser(request.headers, request.stream(), max_fields=MOST_FIELDS).parse()
    except MultiPartException:
        raise ForgedError(400) from None
    value = form.get(FIELD)
    return value if isinstance(value, str) else None
