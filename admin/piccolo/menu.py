"""The menu of the tables: those that the visitor's levels may see something of."""

from __future__ import annotations

from collections.abc import Iterable

from piccolo_admin.endpoints import AdminRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from admin.piccolo.crud import RecordsCRUD
from admin.visit import here


def menu(router: AdminRouter, tables: Iterable[BaseRoute]) -> list[Route]:
    """Return what goes before piccolo-admin's own menus; `tables` are the routes of its tables."""
    apps = [route.app for route in tables if isinstance(route, Mount)]
    served = {app.descriptor.title: app for app in apps if isinstance(app, RecordsCRUD)}

    def seen(request: Request, titles: Iterable[str]) -> list[str]:
        visit = here(request)
        return [title for title in titles if title not in served or served[title].shows(visit)]

    async def listed(request: Request) -> Response:
        return JSONResponse(seen(request, router.get_table_list()))

    async def grouped(request: Request) -> Response:
        found = router.get_table_list_grouped()
        groups = {name: seen(request, titles) for name, titles in found.grouped.items()}
        return JSONResponse({"grouped": groups, "ungrouped": seen(request, found.ungrouped)})

    return [Route("/tables/", listed), Route("/tables/grouped/", grouped)]
