"""Requests to names that are not this server's are refused: nothing is made of a name that somebody else chose."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from admin.faults import outside

ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
"""What is asked by the server's own keepers, under whatever name."""


class KnownHosts:
    """ASGI middleware: lets pass what is asked of one of `hosts` (`.example.org`: also below it); () lets all pass."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        """Wrap `app`."""
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 400 what is asked of another name."""
        if scope["type"] != "http" or not self.hosts or scope["path"] in ALWAYS:
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        asked = request.headers.getlist("host")
        if len(asked) == 1 and self._ours(_name(asked[0])):
            await self.app(scope, receive, send)
        else:
            await outside(request, 400)(scope, receive, send)

    def _ours(self, name: str) -> bool:
        return name in self.hosts or any(f".{end}" in self.hosts for end in _ends(name))


def _name(host: str) -> str:
    """Return the name in a `Host` header, "" for nonsense."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _ends(name: str) -> Sequence[str]:
    parts = name.split(".")
    return [".".join(parts[place:]) for place in range(1, len(parts))]
