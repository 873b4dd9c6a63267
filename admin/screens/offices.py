"""Offices of others: letting somebody act in mine for a time, coming into one, and going out again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import text
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from definitions.text import Text
from models.delegations import Delegation
from models.errors import InvalidError, NotFoundError
from models.message import Message, say
from models.sessions import Session
from workflows import offices
from workflows.offices import Given

NO_DAY = say("This is not a date.")


async def shown(request: Request) -> Response:
    """Show who may act for me, and for whom I may."""
    return await _page(request)


async def _page(
    request: Request,
    *,
    status: int = 200,
    form: FormData | None = None,
    errors: Mapping[str, Message | Text] | None = None,
) -> Response:
    visit = here(request)
    found = await offices.listed(visit.tenant, visit.actor)
    given = {name: text(form, name) for name in ("email", "begins", "ends")} if form else {}
    levels = [level for level in form.getlist("levels") if isinstance(level, str)] if form else visit.actor.levels
    return await render(
        request,
        "account/offices.html",
        status=status,
        mine=[(each, _state(visit, each)) for each in found.mine],
        others=[(each, _state(visit, each)) for each in found.others],
        names=found.names,
        level_names={name: visit.words(visit.network.levels[name].label) for name in visit.actor.levels},
        given=given,
        levels=list(levels),
        errors={name: visit.words(said) for name, said in (errors or {}).items()},
        today=visit.formats.now.astimezone(ZoneInfo(visit.network.timezone)).date().isoformat(),
    )


def _state(visit: Visit, delegation: Delegation) -> str:
    now = visit.formats.now
    if delegation.over(now):
        return "over"
    return "open" if delegation.holds(now) else "later"


async def give(request: Request) -> Response:
    """Let somebody act in my office, from one day to another."""
    visit, form = here(request), await request.form()
    levels = [level for level in form.getlist("levels") if isinstance(level, str)]
    wrong: dict[str, Message] = {}
    begins, ends = _day(visit, form, "begins", wrong), _day(visit, form, "ends", wrong)
    if begins is not None and begins <= visit.formats.now:
        begins = None
    if wrong:
        return await _page(request, status=422, form=form, errors=wrong)
    given = Given(text(form, "email"), levels, begins, None if ends is None else ends + timedelta(days=1))
    try:
        await offices.give(visit.tenant, visit.actor, given)
    except InvalidError as error:
        return await _page(request, status=422, form=form, errors=error.fields)
    return say_on(request, redirect(request, visit.url("account", "offices")), say("They may act for you now."))


def _day(visit: Visit, form: FormData, name: str, wrong: dict[str, Message]) -> datetime | None:
    """Return the first moment of a day of the form, in the network's time zone."""
    said = text(form, name)
    if not said:
        return None
    try:
        day = date.fromisoformat(said)
    except ValueError:
        wrong[name] = NO_DAY
        return None
    if not 2000 <= day.year <= 9000:
        wrong[name] = NO_DAY
        return None
    return datetime.combine(day, time(), ZoneInfo(visit.network.timezone))


async def revoke(request: Request) -> Response:
    """End a delegation at once."""
    visit, form = here(request), await request.form()
    await offices.revoke(visit.tenant, visit.actor, text(form, "delegation"))
    return say_on(request, redirect(request, visit.url("account", "offices")), say("This is ended."))


def _session(visit: Visit) -> Session:
    if visit.session is None:
        raise NotFoundError
    return visit.session


async def enter(request: Request) -> Response:
    """Come into the office that a delegation opens."""
    visit, form = here(request), await request.form()
    await offices.enter(visit.tenant, visit.actor, _session(visit), text(form, "delegation"))
    return redirect(request, visit.url())


async def leave(request: Request) -> Response:
    """Go back to the own office."""
    visit = here(request)
    await offices.leave(visit.tenant, _session(visit))
    return say_on(request, redirect(request, visit.url()), say("You are back in your own office."))


routes: list[BaseRoute] = [
    Route("/account/offices", shown, methods=["GET"]),
    Route("/account/offices", give, methods=["POST"]),
    Route("/account/offices/revoke", revoke, methods=["POST"]),
    Route("/office/enter", enter, methods=["POST"]),
    Route("/office/leave", leave, methods=["POST"]),
]
