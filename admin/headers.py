"""Headers that every answer carries: what a browser may load and where it may be shown."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
STYLED_CONTENT_POLICY = CONTENT_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""For piccolo-admin alone, whose icons and menus write their styles themselves; scripts stay ours."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Cache-Control": "no-store",
}
STRICT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
SAFE_HEADERS = {**HEADERS, "Content-Security-Policy": CONTENT_POLICY}


class SecurityHeaders:
    """ASGI middleware: adds the headers that an answer does not set itself."""

    def __init__(self, app: ASGIApp, policy: str = CONTENT_POLICY) -> None:
        """Wrap `app`; `policy` is the content policy of answers that have none."""
        self.app = app
        headers = {**HEADERS, "Content-Security-Policy": policy}
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the answer's headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                known = {name.lower() for name, _ in given}
                wanted = [*self.headers, STRICT] if scope["scheme"] == "https" else self.headers
                message["headers"] = given + [header for header in wanted if header[0] not in known]
            await send(message)

        await self.app(scope, receive, complete)
