"""piccolo-admin mounted in a network: behind our session, in the visitor's language, made when first asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from html import escape
from typing import Any

import piccolo_admin.endpoints
from fastapi import FastAPI
from piccolo.columns import Varchar
from piccolo.engine.base import Engine
from piccolo.table import Table
from piccolo_admin.endpoints import AdminRouter, TableConfig, create_admin
from piccolo_api.crud.endpoints import OrderBy, PiccoloCRUD
from starlette.authentication import SimpleUser
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin.assets import static
from admin.i18n import catalogue
from admin.piccolo import forms
from admin.piccolo.crud import RecordsCRUD
from admin.piccolo.descriptors import Descriptor, Words, describe
from admin.piccolo.leftovers import sweep
from admin.piccolo.literals import script
from admin.piccolo.menu import menu
from admin.piccolo.system import RegisterCRUD, configure, describe_registers
from admin.piccolo.tongue import translation
from admin.piccolo.wording import RECORDS, SYSTEM
from admin.visit import Visit, here
from definitions.spec.network import Network
from models import message as sentences
from models.errors import NotFoundError
from models.message import say
from workflows.registers import MEMBER

SEAMS = ("PiccoloCRUD", "FastAPIWrapper")
"""The names in piccolo-admin's module under which it looks up what serves a table, and what gives that an address."""
SHEETS = ("tokens.css", "back-office-look.css", "back-office.css", "back-office-forms.css")
"""Our style sheets, behind piccolo-admin's own; the network's hue comes after them."""
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
            sweep()
        return self._built[key]


def _with_token(send: Send, visit: Visit, *, secure: bool) -> Send:
    """Give piccolo-admin's pages our token under the name that they look for, and the theme that the member has chosen.

    For this part of the site only.
    """
    only = f"Path={visit.url('back-office', '')}; SameSite=Lax{'; Secure' if secure else ''}"

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            for name, value in (("csrftoken", visit.csrf), ("theme", visit.theme)):
                MutableHeaders(scope=message).append("Set-Cookie", f"{name}={value}; {only}")
        await send(message)

    return answer


def build(network: Network, language: str, engine: Engine[Any], home: str) -> AdminRouter:
    """Return piccolo-admin over all entities of the network (25 to 60 ms a table: not for the event loop)."""
    spoken = catalogue(language)
    words = Words(network, language, {name: spoken.words(label) for name, label in SYSTEM_LABELS.items()})
    entities = {entity.name: describe(network, entity, words, engine) for entity in network.entities.values()}
    kept = describe_registers(network, language, engine, {one.title for one in entities.values()})
    asked = forms.configure(network, language)
    router = _made(
        _crud(entities, kept),
        tables=[
            *(_config(one, network, spoken.words(RECORDS)) for one in entities.values()),
            *(configure(one, spoken.words(SYSTEM)) for one in kept),
        ],
        site_name=network.label.pick(language, *network.languages),
        default_language_code=language,
        translations=[translation(language)],
        forms=asked,
        page_size=PAGE,
        auto_include_related=False,
        sidebar_links={spoken.words(say("Back to the screens")): home},
    )
    router.user_middleware.clear()  # its CSRF check has a token of its own; ours comes before it, at the door
    router.template = _page(
        router.template, language, router.site_name, f"{home}icon.svg", f"{home}theme.css?hue={network.hue}"
    )
    ours = script(language, network.timezone)  # before theirs, which reads what ours sets
    router.template = router.template.replace('<script type="module"', f'{ours}<script type="module"', 1)
    _replace(router, home, forms.submitting(asked))
    return router


def _crud(entities: Mapping[str, Descriptor], kept: Iterable[Descriptor]) -> Callable[..., PiccoloCRUD]:
    """Return what piccolo-admin calls in the place of its own class: what serves a table, by the table."""
    of_register = {one.table: one for one in kept}

    def crud(table: type[Table], **given: Any) -> PiccoloCRUD:
        if table not in of_register:
            made = RecordsCRUD(table, **given)
            made.describe(entities)
            return made
        register = RegisterCRUD(table, **{**given, "read_only": True})
        register.describe(of_register[table], entities.get(MEMBER))
        return register

    return crud


def _made(crud: Callable[..., PiccoloCRUD], **given: Any) -> AdminRouter:
    """Make piccolo-admin with `crud` in the place of its own; what it leaves in registers of the process is removed."""
    kept = [getattr(piccolo_admin.endpoints, seam) for seam in SEAMS]
    for seam, ours in zip(SEAMS, (crud, _serve), strict=True):
        setattr(piccolo_admin.endpoints, seam, ours)
    try:
        router: AdminRouter = create_admin(**given)
    finally:
        for seam, theirs in zip(SEAMS, kept, strict=True):
            setattr(piccolo_admin.endpoints, seam, theirs)
        sweep()
    return router


def _serve(root_url: str, fastapi_app: FastAPI, piccolo_crud: PiccoloCRUD, fastapi_kwargs: object) -> None:  # noqa: ARG001 - called as piccolo-api's class is
    """Give a table its addresses; what is sent there is checked and answered by its own class, in words of ours."""
    fastapi_app.router.routes.append(Mount(root_url.rstrip("/"), app=piccolo_crud))


def _config(descriptor: Descriptor, network: Network, group: str) -> TableConfig:
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
        menu_group=group,
    )


def _page(template: str, language: str, title: str, icon: str, theme: str) -> str:
    """Return piccolo-admin's page in our language, under our title and icon, with our style sheets behind its own."""
    sheets = "".join(f'<link rel="stylesheet" href="{address}">' for address in (*map(static, SHEETS), theme))
    ours = (
        f'<link rel="icon" href="{icon}">{sheets}<script type="module" src="{static("back-office-forms.js")}"></script>'
    )
    return (
        template.replace('<html lang="en">', f'<html lang="{language}">')
        .replace("<title>Piccolo Admin</title>", f"<title>{escape(title)}</title>")
        .replace("</head>", f"{ours}</head>")
    )


def _replace(router: AdminRouter, home: str, submit: Callable[[Request], Awaitable[Response]]) -> None:
    """Take out piccolo-admin's own accounts: who comes here has signed in with us, and signs out with us.

    Forms that are sent are answered by `submit`.
    """
    routes = router.router.routes
    for index, route in enumerate(routes):
        if isinstance(route, Mount) and route.path == "/api":
            private = _inner(route.app)
            private.router.routes[:] = [one for one in private.router.routes if getattr(one, "path", "") not in DROPPED]
            ours = [*menu(router, private.router.routes), Route("/user/", _user)]
            ours.append(Route("/forms/{form_slug}/", submit, methods=["POST"]))
            private.router.routes[:0] = ours
            routes[index] = Mount("/api", app=private)
        if isinstance(route, Mount) and route.path == "/public":
            public = route.app
            assert isinstance(public, FastAPI)  # noqa: S101 # built so by piccolo-admin

            async def sign_out(_request: Request) -> Response:
                return RedirectResponse(f"{home}sign-out", status_code=307)

            theirs = {"/login", "/logout/", "/docs"}
            kept = [one for one in public.router.routes if getattr(one, "path", "") not in theirs]
            public.router.routes[:] = [Route("/logout/", sign_out, methods=["POST"]), *kept]


def _inner(app: ASGIApp) -> FastAPI:
    while not isinstance(app, FastAPI):
        app = app.app  # type: ignore[attr-defined] # middleware keeps what it wraps as `app`
    return app


async def _user(request: Request) -> Response:
    return JSONResponse({"username": request.user.display_name, "user_id": "1"})
