"""The door of a network: which network, who, in which language; then the session, the form's token and the terms."""

from __future__ import annotations

import secrets
from functools import cached_property
from zoneinfo import ZoneInfo

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin import csrf, faults, limits, visiting
from admin.api.addresses import within
from admin.formats import Formats
from admin.i18n import preferred
from admin.networks import Networks
from admin.settings import Settings
from admin.signing import signature
from admin.unread import unread
from admin.visit import THEMES, Visit, address
from models import accounts, terms
from models.actor import PUBLIC, Actor
from models.limits import Limiter
from models.sessions import Session
from models.store import StoreError
from models.tenant import Tenant
from models.tenants import visiting as visiting_networks

SESSION_COOKIE = "maille"
GATE_COOKIE = "maille_gate"
STEP_COOKIE = "maille_step"
DEVICE_COOKIE = "maille_device"
LANGUAGE_COOKIE = "maille_language"
THEME_COOKIE = "maille_theme"
OPEN = frozenset({"sign-in", "join", "theme.css", "icon.svg", "language", "hooks", "unsubscribe"})
"""Pages that need no session."""
KEYED = frozenset({"hooks", "unsubscribe"})
"""What other systems send to: the request itself has the key, and no cookie decides anything."""
BEFORE_TERMS = OPEN | {"sign-out", "terms", "theme"}
"""Pages that need no accepted terms."""
KEPT_ACCEPTANCES = 10_000


class Door:
    """ASGI middleware: everything below `/n/<network>/` passes here and finds its `Visit` in `request.state`."""

    def __init__(self, app: ASGIApp, networks: Networks, settings: Settings, limiter: Limiter) -> None:
        """Wrap `app`; the settings' secret signs what goes to browsers, `limiter` counts what they ask."""
        self.app = app
        self.networks = networks
        self.settings = settings
        self.limiter = limiter
        self._accepted: dict[tuple[str, int, tuple[str, ...]], None] = {}

    @cached_property
    def key(self) -> bytes:
        """What signs cookies and tokens; read when the first visitor comes."""
        return self.settings.signing_key()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the network that the address names, or pass on what is outside of all networks or the API's."""
        if scope["type"] != "http" or not scope["path"].startswith("/n/"):
            await self.app(scope, receive, send)
            return
        with visiting_networks():
            await (self.app if within(scope["path"]) else self._answer)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the network that the address names."""
        name, slash, rest = scope["path"].removeprefix("/n/").partition("/")
        request = Request(scope, receive)
        answer: ASGIApp | None
        try:
            tenant = await self.networks.get(name)
        except StoreError:
            await faults.outside(request, 503)(scope, receive, send)
            return
        if tenant is None or "\0" in scope["path"]:  # nothing has such a name, and no store could look for it
            answer = faults.outside(request, 404)
        elif not scope["query_string"].isascii():
            answer = faults.outside(request, 400)
        elif not slash:
            answer = RedirectResponse(address(name), status_code=307)
        elif rest == "version":  # open pages ask for it again and again: neither a session nor the database is touched
            answer = PlainTextResponse(str(tenant.published.version))
        elif rest.startswith("unread/"):  # the same: so that a page which stays open keeps no session alive
            answer = await unread(tenant, self.key, rest.removeprefix("unread/"))
        else:
            async with tenant.turnstile.passing():
                await self._enter(tenant, rest, request, send)
            return
        await answer(scope, receive, send)

    async def _enter(self, tenant: Tenant, rest: str, request: Request, send: Send) -> None:
        scope, receive = request.scope, request.receive
        token = request.cookies.get(SESSION_COOKIE)
        ip = request.client.host if request.client else None
        resumed = None if token is None else await accounts.resume(tenant, token, ip=ip)
        gate = request.cookies.get(GATE_COOKIE) or ("" if resumed else secrets.token_urlsafe(24))
        visit = await visiting.entered(self._visit(tenant, request, resumed, gate), request)
        scope.setdefault("state", {}).update(
            visit=visit, tenant=tenant, actor=visit.actor, session=visit.session, language=visit.language
        )
        verdict = self.limiter.take(limits.wants(request, tenant.name, visit.actor if visit.session else None))
        if verdict is not None and not verdict.allowed:
            await faults.too_many(request, limits.headers(verdict))(scope, receive, send)
            return
        page = rest.partition("/")[0]
        if visit.session is None and request.cookies.get(GATE_COOKIE) != gate:
            send = _with_cookie(send, _gate_cookie(visit, gate, secure=scope["scheme"] == "https"))
        answer = await self._stop(visit, request, page, ended=token is not None)
        if answer is not None:
            await answer(scope, receive, send)
            return
        if request.method not in csrf.SAFE and page not in KEYED:
            try:
                receive = await csrf.check(scope, receive, visit.csrf, files=self.settings.limits.form)
            except csrf.ForgedError as error:
                await (await faults.page(request, error.status, faults.sentence(visit, error.status)))(
                    scope, receive, send
                )
                return
        await self.app(scope, receive, send)

    def _visit(self, tenant: Tenant, request: Request, resumed: tuple[Session, Actor] | None, gate: str) -> Visit:
        network = tenant.published.network
        session, actor = resumed or (None, PUBLIC)
        language = _language(request, network.languages, actor if resumed else None)
        theme = request.cookies.get(THEME_COOKIE, "auto")
        return Visit(
            tenant=tenant,
            network=network,
            actor=actor,
            session=session,
            language=language,
            theme=theme if theme in THEMES else "auto",
            csrf=session.csrf if session else signature(self.key, "gate", gate),
            formats=Formats(language, ZoneInfo(network.timezone), network.currency, tenant.clock.now()),
            key=self.key,
            path=request.url.path,
            htmx=request.headers.get("hx-request") == "true" and request.headers.get("hx-boosted") != "true",
        )

    async def _stop(self, visit: Visit, request: Request, page: str, *, ended: bool) -> Response | None:
        """Return the way to the sign-in or to the terms, when one of them comes first."""
        if visit.session is None:
            return None if page in OPEN else _to_sign_in(visit, request, ended=ended)
        if visit.session.acting is not None:
            return await visiting.stopped(visit, request, page)
        if page in BEFORE_TERMS or not await self._owes_terms(visit, visit.session):
            return None
        return _leave(visit, visit.url("terms", next=_next(request)))

    async def _owes_terms(self, visit: Visit, session: Session) -> bool:
        key = (session.id, visit.tenant.published.version, visit.actor.levels)
        if key in self._accepted:
            return False
        if await terms.open_terms(visit.tenant, visit.actor):
            return True
        if len(self._accepted) >= KEPT_ACCEPTANCES:
            self._accepted.pop(next(iter(self._accepted)))
        self._accepted[key] = None
        return False


def _language(request: Request, offered: tuple[str, ...], actor: Actor | None) -> str:
    chosen = actor.language if actor else request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in offered:
        return chosen
    return preferred(request.headers.get("accept-language", ""), offered) or offered[0]


def _next(request: Request) -> str | None:
    """Return the address to come back to: a page that was asked for, not a part of one nor a form that was sent."""
    if request.method != "GET" or request.headers.get("hx-request") == "true":
        return None
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _to_sign_in(visit: Visit, request: Request, *, ended: bool) -> Response:
    wanted = _next(request)
    wanted = None if wanted == visit.url() else wanted
    response = _leave(visit, visit.url("sign-in", next=wanted, ended="1" if ended else None))
    if ended:
        response.delete_cookie(SESSION_COOKIE, path=visit.url())
    return response


def _leave(visit: Visit, target: str) -> Response:
    if visit.htmx:
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


def _gate_cookie(visit: Visit, value: str, *, secure: bool) -> str:
    response = Response()
    response.set_cookie(GATE_COOKIE, value, path=visit.url(), httponly=True, samesite="lax", secure=secure)
    return response.headers["set-cookie"]


def _with_cookie(send: Send, cookie: str) -> Send:
    async def sends(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", cookie)
        await send(message)

    return sends
