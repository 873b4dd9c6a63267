"""Tasks: the visitor's own, ticked off with a way back; new ones for oneself or about a record."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import inside, text
from admin.parts.deciding import to_decide
from admin.todo import item, todo
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from models.errors import InvalidError
from models.message import say
from workflows import commands, tasks
from workflows.unit import read

END_OF_DAY = time(18)
"""The hour of a task for a day without an hour."""


async def listed(request: Request) -> Response:
    """Show the open tasks, or the ones that were done last."""
    return await _page(request)


async def _page(request: Request, *, status: int = 200, title: str = "", error: str = "") -> Response:
    visit = here(request)
    done = request.query_params.get("done") == "1"
    found = await tasks.mine(visit.tenant, visit.actor, done=done)
    asked = [] if done else await read(visit.tenant, visit.actor, lambda unit: to_decide(visit, unit))
    return await render(
        request,
        "tasks/tasks.html",
        status=status,
        done=done,
        todo=todo([] if done else found, visit),
        finished=[item(task, visit) for task in found] if done else [],
        title=title,
        error=error,
        asked=asked,
    )


async def add(request: Request) -> Response:
    """Add a task; `entity` and `record` say what it is about, if anything."""
    visit, form = here(request), await request.form()
    entity, record = text(form, "entity"), text(form, "record")
    title = text(form, "title")
    try:
        due = _due(text(form, "day"), text(form, "hour"), visit)
        about = (entity, record) if entity and record else None
        await commands.add_task(visit.tenant, visit.actor, title=title, about=about, due=due)
    except InvalidError as error:
        if entity:
            raise
        return await _page(request, status=422, title=title, error=visit.words(next(iter(error.fields.values()))))
    response = redirect(request, inside(visit, text(form, "back") or visit.url("tasks")))
    return say_on(request, response, say("The task is added."))


def _due(day: str, hour: str, visit: Visit) -> datetime | None:
    """Return the moment of a form's day and hour, where the network is; None without a day."""
    if not day:
        return None
    try:
        moment = datetime.combine(date.fromisoformat(day), time.fromisoformat(hour) if hour else END_OF_DAY)
        return moment.replace(tzinfo=visit.formats.timezone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidError({"day": say("This is not a date.")}) from None


async def done(request: Request) -> Response:
    """Tick a task off, and offer the way back."""
    visit, task = here(request), request.path_params["task"]
    await commands.complete_task(visit.tenant, visit.actor, task)
    response = await _back(request, visit)
    return say_on(request, response, say("The task is done."), undo=visit.url("tasks", task, "reopen"))


async def reopen(request: Request) -> Response:
    """Take back that a task is done."""
    visit = here(request)
    await commands.reopen_task(visit.tenant, visit.actor, request.path_params["task"])
    return say_on(request, await _back(request, visit), say("The task is open again."))


async def _back(request: Request, visit: Visit) -> Response:
    form = await request.form()
    return redirect(request, inside(visit, text(form, "back") or visit.url("tasks")))


routes: list[BaseRoute] = [
    Route("/tasks", listed, methods=["GET"]),
    Route("/tasks", add, methods=["POST"]),
    Route("/tasks/{task}/done", done, methods=["POST"]),
    Route("/tasks/{task}/reopen", reopen, methods=["POST"]),
]
