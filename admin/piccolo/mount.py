"""piccolo-admin mounted in a network: behind our session, in the visitor's language, made when first asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from html import escape
from typing import Any

import piccolo_admin.endpoints
from fastapi import FastAPI
from piccolo.columns import Varchar
from piccolo.engine.base import Engine
from piccolo_admin.endpoints import AdminRouter, TableConfig, create_admin
from piccolo_admin.translations.data import ENGLISH, FRENCH
from piccolo_api.crud.endpoints import OrderBy, PiccoloCRUD
from piccolo_api.fastapi.endpoints import ANNOTATIONS
from starlette.authentication import SimpleUser
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin.assets import static
from admin.i18n import catalogue
from admin.piccolo.crud import RecordsCRUD
from admin.piccolo.descriptors import Descriptor, Words, describe
from admin.visit import Visit, here
from definitions.spec.network import Network
from models import message as sentences
from models.errors import NotFoundError
from models.message import say

SEAM = "PiccoloCRUD"
"""The name in piccolo-admin's module under which it looks up what serves a table."""
KEPT = 8
"""How many built admins (network, version and language) are kept."""
PAGE = 50
SYSTEM_LABELS: Mapping[str, sentences.Message] = {
    "id": say("Identifier"),
    "owner": say("Owner"),
    "created_at": say("Created on"),
    "updated_at": say("Changed on"),
    "last_activity_at": say("Last activity"),
    "created_by": say("Created by"),
    "version": say("Version"),
}
DROPPED = frozenset({"/user/", "/change-password/", "/media/", "/media/generate-file-url/", "/docs"})
"""Paths of piccolo-admin's own accounts and files, which are ours to do."""


class BackOffice:
    """The ASGI application below `/n/<network>/back-office/`."""

    def __init__(self) -> None:
        """Build nothing yet."""
        self._built: OrderedDict[tuple[str, int, str], AdminRouter] = OrderedDict()
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer leaders; for everyone else there is no such page."""
        visit = here(Request(scope, receive))
        if visit.session is None or not visit.leads:
            raise NotFoundError
        scope["user"] = SimpleUser(str(visit.actor.member["name"]) if visit.actor.member else "")
        app = await self._app(visit)
        await app(scope, receive, _with_token(send, visit, secure=scope["scheme"] == "https"))

    async def _app(self, visit: Visit) -> AdminRouter:
        key = (visit.tenant.name, visit.tenant.published.version, visit.language)
        if key not in self._built:
            async with self._lock:
                if key not in self._built:
                    self._built[key] = await asyncio.to_thread(
                        build, visit.network, visit.language, visit.tenant.store.engine, visit.url()
                    )
        self._built.move_to_end(key)
        while len(self._built) > KEPT:
            self._built.popitem(last=False)
        return self._built[key]


def _with_token(send: Send, visit: Visit, *, secure: bool) -> Send:
    """Give piccolo-admin's pages our token under the name that they look for, for this part of the site only."""
    cookie = f"csrftoken={visit.csrf}; Path={visit.url('back-office', '')}; SameSite=Lax{'; Secure' if secure else ''}"

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("Set-Cookie", cookie)
        await send(message)

    return answer


def build(network: Network, language: str, engine: Engine[Any], home: str) -> AdminRouter:
    """Return piccolo-admin over all entities of the network (25 to 60 ms a table: not for the event loop)."""
    spoken = catalogue(language)
    words = Words(network, language, {name: spoken.words(label) for name, label in SYSTEM_LABELS.items()})
    descriptors = {entity.name: describe(network, entity, words, engine) for entity in network.entities.values()}
    made: list[RecordsCRUD] = []

    def crud(*args: Any, **kwargs: Any) -> RecordsCRUD:
        made.append(RecordsCRUD(*args, **kwargs))
        made[-1].describe(descriptors)
        return made[-1]

    setattr(piccolo_admin.endpoints, SEAM, crud)
    known = set(ANNOTATIONS)
    try:
        router: AdminRouter = create_admin(
            tables=[_config(one, network) for one in descriptors.values()],
            site_name=network.label.pick(language, *network.languages),
            default_language_code=language,
            translations=[FRENCH, ENGLISH],
            read_only=True,
            page_size=PAGE,
            auto_include_related=False,
            sidebar_links={spoken.words(say("Back to the screens")): home},
        )
    finally:
        setattr(piccolo_admin.endpoints, SEAM, PiccoloCRUD)
        for alias in set(ANNOTATIONS) - known:
            del ANNOTATIONS[alias]
    router.user_middleware.clear()  # its CSRF check has a token of its own; ours comes before it, at the door
    router.template = _page(router.template, language, router.site_name, f"{home}icon.svg")
    _replace_sign_in(router, home)
    return router


def _config(descriptor: Descriptor, network: Network) -> TableConfig:
    screen = next((one for one in network.screens.values() if one.entity == descriptor.entity), None)
    table = descriptor.table
    by_name = {column._meta.name: column for column in table._meta.columns}  # noqa: SLF001 # Piccolo's own API
    listed = [] if screen is None else [by_name[name] for name in screen.columns if name in by_name]
    visible = [*listed, by_name["created_at"]]
    texts = [column for column in listed if isinstance(column, Varchar) and not column._meta.choices]  # noqa: SLF001
    return TableConfig(
        table,
        visible_columns=visible if texts else [by_name["id"], *visible],
        link_column=texts[0] if texts else None,
        visible_filters=[column for name, column in by_name.items() if name != "id"],
        order_by=[OrderBy(by_name["created_at"], ascending=False)],
    )


def _page(template: str, language: str, title: str, icon: str) -> str:
    """Return piccolo-admin's page in our language, under our title and icon, with our style sheet behind its own."""
    sheet = f'<link rel="icon" href="{icon}"><link rel="stylesheet" href="{static("back-office.css")}">'
    return (
        template.replace('<html lang="en">', f'<html lang="{language}">')
        .replace("<title>Piccolo Admin</title>", f"<title>{escape(title)}</title>")
        .replace("</head>", f"{sheet}</head>")
    )


def _replace_sign_in(router: AdminRouter, home: str) -> None:
    """Take out piccolo-admin's own accounts: who comes here has signed in with us, and signs out with us."""
    routes = router.router.routes
    for index, route in enumerate(routes):
        if isinstance(route, Mount) and route.path == "/api":
            private = _inner(route.app)
            private.router.routes[:] = [one for one in private.router.routes if getattr(one, "path", "") not in DROPPED]
            private.router.routes.insert(0, Route("/user/", _user))
            routes[index] = Mount("/api", app=private)
        if isinstance(route, Mount) and route.path == "/public":
            public = route.app
            assert isinstance(public, FastAPI)  # noqa: S101 # built so by piccolo-admin

            async def sign_out(_request: Request) -> Response:
                return RedirectResponse(f"{home}sign-out", status_code=307)

            kept = [one for one in public.router.routes if getattr(one, "path", "") not in {"/login", "/logout/"}]
            public.router.routes[:] = [Route("/logout/", sign_out, methods=["POST"]), *kept]


def _inner(app: ASGIApp) -> FastAPI:
    while not isinstance(app, FastAPI):
        app = app.app  # type: ignore[attr-defined] # middleware keeps what it wraps as `app`
    return app


async def _user(request: Request) -> Response:
    return JSONResponse({"username": request.user.display_name, "user_id": "1"})
