"""Runs of automations, for who administers the network: what failed, what waits, and what can be done about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from admin.asked import number
from admin.parts.reader import Reader
from admin.parts.why import ACTIONS, OUTCOMES, RUN_STATES
from admin.unmet import in_words, of_automation
from admin.visit import Visit
from admin.web import here, redirect, render, say_on
from models.actor import Actor
from models.message import Message, say
from models.tenant import Tenant
from workflows import commands, overseeing
from workflows.overseeing import LISTED
from workflows.traces import StepTrace
from workflows.unit import read


async def listed(request: Request) -> Response:
    """Show the runs, the latest first."""
    visit = here(request)
    wanted = request.query_params.get("state", "")
    state = wanted if wanted in RUN_STATES else None
    asked = request.query_params.get("automation", "")
    automation = asked if asked in visit.network.automations else None
    offset = number(request.query_params.get("offset", ""))
    page = await read(visit.tenant, visit.actor, lambda unit: overseeing.page(unit, state, offset, automation))
    reader = Reader(visit.network, visit.formats)
    return await render(
        request,
        "runs/runs.html",
        page=page,
        why={each["id"]: in_words(reader, each["error"]) for each in page.runs if each["error"]},
        state=state,
        automation=automation,
        states=_states(visit),
        labels=_labels(visit),
        later=offset + LISTED if page.more else None,
    )


async def shown(request: Request) -> Response:
    """Show a run with its steps."""
    visit, run = here(request), request.path_params["run"]
    found = await read(visit.tenant, visit.actor, lambda unit: overseeing.one(unit, run))
    reader = Reader(visit.network, visit.formats)
    return await render(
        request,
        "runs/run.html",
        run=found.run,
        may=found.may,
        step=found.step,
        states=_states(visit),
        labels=_labels(visit),
        why=in_words(reader, found.run["error"]) if found.run["error"] else "",
        asks=of_automation(reader, found.asks),
        steps=[_step(visit, reader, each) for each in found.steps],
    )


def _states(visit: Visit) -> dict[str, tuple[str, str]]:
    return {name: (visit.words(label), colour) for name, (label, colour) in RUN_STATES.items()}


def _labels(visit: Visit) -> dict[str, str]:
    return {name: visit.words(automation.label) for name, automation in visit.network.automations.items()}


def _step(visit: Visit, reader: Reader, step: StepTrace) -> dict[str, str]:
    verdict, colour = OUTCOMES.get(step.outcome, (say("Ended"), "grey"))
    return {
        "path": step.path if step.turn is None else f"{step.path} · {step.turn}",
        "action": visit.words(ACTIONS.get(step.action, say("step"))),
        "at": visit.formats.datetime(step.at),
        "verdict": visit.words(verdict),
        "colour": colour,
        "why": in_words(reader, step.why) if step.why else "",
        "told": overseeing.result_of(step),
    }


Act = Callable[[Tenant, Actor, str], Awaitable[None]]


def _handled(act: Act, said: Message) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        visit, run = here(request), request.path_params["run"]
        await act(visit.tenant, visit.actor, run)
        return say_on(request, redirect(request, visit.url("runs", run)), said)

    return handle


routes: list[BaseRoute] = [
    Route("/runs", listed),
    Route("/runs/{run}", shown),
    Route("/runs/{run}/retry", _handled(commands.retry_run, say("It goes on in a moment.")), methods=["POST"]),
    Route("/runs/{run}/skip", _handled(commands.skip_step, say("It goes on behind the step.")), methods=["POST"]),
    Route("/runs/{run}/cancel", _handled(commands.cancel_run, say("The run is ended.")), methods=["POST"]),
]
