"""Cookies over TLS are `__Host-` cookies: no sister domain and no plain connection can have set what we believe.

Such a cookie has the path `/`, so its name carries the network: `__Host-maille-<network>` is `maille` within, the
others have what they are called behind a dot (no network has one in its name).
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OURS = re.compile(r"maille(?:_([a-z_]+))?")
"""The names of our cookies within; piccolo-admin's own, which its scripts read by name, is not one."""
_PATH = re.compile(r";\s*path=[^;]*", re.IGNORECASE)
_SECURE = re.compile(r";\s*secure\b", re.IGNORECASE)


class HostCookies:
    """ASGI middleware: over TLS it gives the cookies of a network their outer names and takes them back."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rename the cookies that come and those that go."""
        if scope["type"] != "http" or scope["scheme"] != "https" or not scope["path"].startswith("/n/"):
            await self.app(scope, receive, send)
            return
        network = scope["path"].removeprefix("/n/").partition("/")[0]
        # in the scope itself: those around see which route answered
        scope["headers"] = [
            (name, _within(value, network) if name == b"cookie" else value) for name, value in scope["headers"]
        ]

        async def sends(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                message["headers"] = [
                    (name, _without(value, network) if name.lower() == b"set-cookie" else value)
                    for name, value in given
                ]
            await send(message)

        await self.app(scope, receive, sends)


def outer(name: str, network: str) -> str:
    """Return what a cookie of ours is called over TLS: `maille_gate` is `__Host-maille-<network>.gate`."""
    found = OURS.fullmatch(name)
    end = f".{found[1]}" if found is not None and found[1] else ""
    return f"__Host-maille-{network}{end}"


def _within(header: bytes, network: str) -> bytes:
    """Return the cookies that come by their inner names; those that only look like ours are not let in."""
    base = outer("maille", network)
    kept = []
    for pair in header.decode("latin-1").split(";"):
        name, mark, value = pair.strip().partition("=")
        if name == base or name.startswith(f"{base}."):
            end = name.removeprefix(base).replace(".", "_", 1)
            kept.append(f"maille{end}{mark}{value}")
        elif OURS.fullmatch(name) is None:
            kept.append(pair.strip())
    return "; ".join(kept).encode("latin-1")


def _without(header: bytes, network: str) -> bytes:
    """Return a cookie that goes, by its outer name and for the whole host."""
    name, mark, rest = header.decode("latin-1").partition("=")
    if OURS.fullmatch(name) is None:
        return header
    bare = _SECURE.sub("", _PATH.sub("", rest))
    return f"{outer(name, network)}{mark}{bare}; Path=/; Secure".encode("latin-1")
