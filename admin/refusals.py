"""What was refused, in the server's own log: what was asked for, of what kind, by whom and from where; no values."""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGED = frozenset({400, 401, 403, 404, 413, 429})
"""Statuses of requests that asked for what they may not have, or were no requests of ours."""

log = structlog.get_logger(__name__)


class Refusals:
    """ASGI middleware: writes a line for each request of a network that is refused.

    It names the handler and the kind of record, never the address as it was sent: links of mails are secrets.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at its answer."""
        if scope["type"] != "http" or not scope["path"].startswith("/n/"):
            await self.app(scope, receive, send)
            return
        path = scope["path"]

        async def look(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in LOGGED:
                _write(scope, path, message["status"])
            await send(message)

        await self.app(scope, receive, look)


def _write(scope: Scope, path: str, status: int) -> None:
    state, endpoint = scope.get("state", {}), scope.get("endpoint")
    asked = state.get("visit") or state.get("call")
    actor = getattr(asked, "actor", None)
    client = scope.get("client")
    log.info(
        "refused",
        status=status,
        method=scope["method"],
        network=path.split("/")[2][:64],
        door="" if endpoint is None else f"{endpoint.__module__}.{getattr(endpoint, '__name__', '')}",
        entity=scope.get("path_params", {}).get("entity", ""),
        member=getattr(actor, "id", None),
        through=getattr(actor, "through", None),
        ip=client[0] if client else None,
    )
