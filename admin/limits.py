"""Which buckets a request is counted in, and what an answer says of them: for all doors alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.actor import Actor
from models.limits import Limiter, Verdict, Want
from models.tokens import token_hash

_READ, _SENT = "(?:GET|HEAD)", "POST"
COSTLY: Sequence[tuple[str, str]] = (
    ("reset", rf"{_SENT} sign-in/forgotten"),
    ("sign_in", rf"{_SENT} (?:sign-in|join)(?:/.*)?|{_READ} sign-in/provider(?:/.*)?"),
    ("export", rf"{_READ} e/[^/]+/export|\w+ back-office/.*(?:export|archive).*"),
    (
        "search",
        rf"{_READ} (?:search|e/[^/]+/options)|{_READ} (?:e/[^/]+/|api/v1/entities/[^/]+)\?(?:.*&)?(?:q|filter)=.*",
    ),
    ("statistics", rf"{_READ} api/v1/statistics(?:/.*)?"),
    ("bulk", rf"{_SENT} (?:e|api/v1/entities)/[^/]+/(?:bulk|jobs)(?:/.*)?"),
)
"""Which requests are costly beyond others, by method and address below the network's (with what is searched for)."""
_COSTLY = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in COSTLY), re.DOTALL)


def costly(method: str, path: str, query: str = "", content: str = "") -> str | None:
    """Return the rate that a request is counted in beside who asks; None for most."""
    found = _COSTLY.fullmatch(f"{method} {path}?{query}" if query else f"{method} {path}")
    found = found or (_COSTLY.fullmatch(f"{method} {path}") if query else None)
    if found is not None:
        return found.lastgroup
    return "upload" if method == "POST" and content.startswith("multipart/") else None


def wants(request: Request, network: str, actor: Actor | None) -> list[Want]:
    """Return the buckets of a request by `actor`, None for who is not signed in: who asks, what, and the network's."""
    if actor is not None and actor.id is not None:
        who: Want = ("member", f"{network}/{actor.through or actor.id}")
        whole: Want = ("members", network)
    else:
        who = ("address", request.client.host if request.client else "")
        whole = ("strangers", network)
    return _all(request, network, [who], whole)


def wants_of_token(request: Request, network: str, secret: str, limiter: Limiter) -> list[Want]:
    """Return those of a program; a token that was never right here counts as a stranger's."""
    credential = f"{network}/{token_hash(secret)}"
    owner = limiter.owner(credential)
    if owner is None:
        return wants(request, network, None)
    return _all(request, network, [("token", credential), ("member", owner)], ("members", network))


def learn(limiter: Limiter, network: str, secret: str, actor: Actor) -> None:
    """Remember whose token it is, now that it was right."""
    limiter.learn(f"{network}/{token_hash(secret)}", f"{network}/{actor.id}")


def _all(request: Request, network: str, who: list[Want], whole: Want) -> list[Want]:
    path = request.scope["path"].removeprefix(f"/n/{network}/")
    query = request.scope["query_string"].decode("latin-1")
    kind = costly(request.method, path, query, request.headers.get("content-type", ""))
    return [*who, *([] if kind is None else [(kind, f"{who[0][0]} {who[0][1]}")]), whole]


class Told:
    """ASGI middleware: an answer of the API says what the limit is and what is left of it."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`, which keeps its `call` in the request's state."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the answer's headers."""

        async def complete(message: Message) -> None:
            call = scope.get("state", {}).get("call")
            if message["type"] == "http.response.start" and call is not None:
                MutableHeaders(scope=message).update(headers(call.verdict))
            await send(message)

        await self.app(scope, receive, complete)


def headers(verdict: Verdict | None) -> Mapping[str, str]:
    """Return what an answer says of the limit (draft-ietf-httpapi-ratelimit-headers): the rate, and what is left."""
    if verdict is None:
        return {}
    rate, name = verdict.rate, verdict.name
    window = max(round(rate.burst / rate.per_second), 1)
    said = {
        "RateLimit-Policy": f'"{name}";q={rate.burst};w={window}',
        "RateLimit": f'"{name}";r={verdict.remaining};t={verdict.wait or verdict.reset}',
    }
    return said if verdict.allowed else {**said, "Retry-After": str(verdict.wait)}
