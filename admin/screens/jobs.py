"""Jobs about many records: how far they are, what failed and why, stopping them and taking them back."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import inside, number, text
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from models.message import Message, say
from workflows import jobs
from workflows.deeds import Action
from workflows.jobs import Job, State

LABELS: Mapping[Action, Message] = {
    "move": say("Step"),
    "assign": say("Give to somebody"),
    "delete": say("Delete"),
    "task": say("Add a task"),
    "undo": say("Take back"),
}
STATES: Mapping[State, tuple[Message, str]] = {
    "running": (say("Under way"), "blue"),
    "done": (say("Done"), "green"),
    "cancelled": (say("Stopped"), "grey"),
    "failed": (say("Failed"), "red"),
    "undone": (say("Taken back"), "grey"),
}
"""What people call the states, and their colours."""


async def shown(request: Request) -> Response:
    """Show a job; a page that asks again gets the part that changes."""
    visit, wanted = here(request), request.path_params["job"]
    offset = number(request.query_params.get("offset", ""))
    job, failures = await jobs.seen(visit.tenant, visit.actor, wanted, offset)
    reasons = await jobs.reasons(visit.tenant, visit.actor, wanted) if job.failed > 1 else []
    entity = visit.network.entities.get(job.entity)
    state, colour = STATES[job.state]
    return await render(
        request,
        "bulk/job.html",
        block="progress" if visit.htmx else None,
        job=job,
        failures=[(each, _field(visit, job, each.field)) for each in failures],
        more=max(job.failed - offset - len(failures), 0),
        later=offset + jobs.SHOWN,
        reasons=[(each, _field(visit, job, each.field), count) for each, count in reasons],
        label=_label(visit, job),
        state=visit.words(state),
        colour=colour,
        plural=visit.words(entity.many) if entity else job.entity,
        base=visit.url("e", job.entity, ""),
        undoable=job.undo_until is not None and job.undo_until > visit.formats.now,
        left=job.total - job.done - job.failed,
    )


async def cancel(request: Request) -> Response:
    """Leave what is not done yet."""
    visit = here(request)
    job = await jobs.cancel(visit.tenant, visit.actor, request.path_params["job"])
    return redirect(request, visit.url("jobs", job.id))


async def undo(request: Request) -> Response:
    """Take back all that a job did."""
    visit, form = here(request), await request.form()
    job = await jobs.undo(visit.tenant, visit.actor, request.path_params["job"])
    if not job.over or job.failed:
        return redirect(request, visit.url("jobs", job.id))
    back = inside(visit, text(form, "back") or visit.url("e", job.entity, ""))
    return say_on(request, redirect(request, back), say("The step was taken back."))


def _field(visit: Visit, job: Job, name: str) -> str:
    """Return what people call the question or the field that a refusal is about; "" for none."""
    process = visit.network.processes.get(job.asked.get("process", ""))
    transition = process.transitions.get(job.asked["transition"]) if process else None
    entity = visit.network.entities.get(job.entity)
    question = transition.form.get(name) if transition else None
    field = question.field if question else entity.fields.get(name) if entity else None
    return visit.words(field.label) if field else ""


def _label(visit: Visit, job: Job) -> str:
    """Return what a job does, in words: a step by its own name."""
    process = visit.network.processes.get(job.asked.get("process", ""))
    transition = process.transitions.get(job.asked["transition"]) if process else None
    return visit.words(LABELS[job.action] if transition is None else transition.label)


routes: list[BaseRoute] = [
    Route("/jobs/{job}", shown, methods=["GET"]),
    Route("/jobs/{job}/cancel", cancel, methods=["POST"]),
    Route("/jobs/{job}/undo", undo, methods=["POST"]),
]
