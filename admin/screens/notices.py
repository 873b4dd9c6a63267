"""My notifications: the newest first, each with the record that it is about, read or not."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.web import here, redirect, render
from workflows import notices, preferences
from workflows.notices import Notices
from workflows.offices import itself
from workflows.unit import Unit, read, write


async def listed(request: Request) -> Response:
    """Show a page of the visitor's notifications."""
    visit = here(request)
    only, before = request.query_params.get("only") == "unread", request.query_params.get("before")

    async def work(unit: Unit) -> tuple[Notices, int, bool]:
        mine = str(unit.actor.id)
        page = await notices.page(unit, unread=only, before=before)
        by_mail = await preferences.holds(unit.tx, mine, "notices_by_mail")
        return page, await notices.unread(unit.tx, mine), by_mail

    page, unread, by_mail = await read(visit.tenant, visit.actor, work)
    return await render(
        request,
        "notices/page.html",
        page=page,
        lines=[(notice, visit.formats.ago(notice.at)) for notice in page.notices],
        only=only,
        unread=unread,
        by_mail=by_mail,
    )


async def mark(request: Request) -> Response:
    """Mark a notification as read (all of them without one), and go to the record where that was asked for."""
    visit, form = here(request), await request.form()
    notice = request.path_params.get("notice")
    await write(visit.tenant, visit.actor, lambda unit: notices.mark(unit, notice))
    if notice is not None and text(form, "open"):
        found = await read(visit.tenant, visit.actor, lambda unit: notices.one(unit, notice))
        if found.entity and found.record:
            return redirect(request, visit.url("e", found.entity, found.record))
    return redirect(request, visit.url("notices"))


async def prefer(request: Request) -> Response:
    """Have a copy of notifications mailed, or no longer: the member's own choice."""
    visit, form = here(request), await request.form()
    mine, wanted = itself(visit.actor), text(form, "by_mail") == "true"
    await write(
        visit.tenant, visit.actor, lambda unit: preferences.choose(unit, mine, "notices_by_mail", wanted=wanted)
    )
    return redirect(request, visit.url("notices"))


routes: list[BaseRoute] = [
    Route("/notices", listed),
    Route("/notices/read", mark, methods=["POST"]),
    Route("/notices/by-mail", prefer, methods=["POST"]),
    Route("/notices/{notice}/read", mark, methods=["POST"]),
]
