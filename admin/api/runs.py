"""Runs of automations, for who administers the network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from admin.api.asked import whole
from admin.api.call import Answer, Call
from admin.api.values import moment
from admin.unmet import in_words, of_automation, told
from models.errors import InvalidError
from models.message import say
from workflows import overseeing
from workflows.registers import Entry
from workflows.runs import STATES
from workflows.traces import StepTrace
from workflows.unit import Unit

FURTHEST = 1_000_000
Act = Callable[[Unit, str], Awaitable[None]]


async def listing(call: Call) -> Answer:
    """List runs, the latest first, with how many can be decided about."""

    async def work(unit: Unit) -> Answer:
        state, offset = call.given.get("state"), whole(call.given, "offset", 0, FURTHEST)
        if state is not None and state not in STATES:
            raise InvalidError({"state": say("This is one of: {values}.", values=", ".join(STATES))})
        automation = call.given.get("automation")
        if automation is not None and automation not in unit.network.automations:
            raise InvalidError({"automation": say("There is no automation '{written}'.", written=automation)})
        page = await overseeing.page(unit, state, offset, automation)
        later = offset + overseeing.LISTED if page.more else None
        found = [_run(call, each) for each in page.runs]
        return Answer({"items": found, "counts": dict(page.counts), "lost": page.lost, "next": later})

    return await call.read(work, "state", "offset", "automation")


async def one(call: Call) -> Answer:
    """Return a run with its last steps."""

    async def work(unit: Unit) -> Answer:
        return Answer(await _shown(call, unit))

    return await call.read(work)


def decided(act: Act) -> Callable[[Call], Awaitable[Answer]]:
    """Return the handler that decides about a run and answers with what it is then."""

    async def handle(call: Call) -> Answer:
        async def work(unit: Unit) -> Answer:
            await act(unit, call.request.path_params["run"])
            return Answer(await _shown(call, unit))

        return await call.write(work)

    return handle


async def _shown(call: Call, unit: Unit) -> dict[str, Any]:
    found = await overseeing.one(unit, call.request.path_params["run"])
    steps = [_step(call, each) for each in found.steps]
    asks = told(of_automation(call.reader, found.asks))
    return {**_run(call, found.run), "conditions": asks, "step": found.step, "may": sorted(found.may), "steps": steps}


def _run(call: Call, run: Entry) -> dict[str, Any]:
    about = {"entity": run["entity"], "id": run["record"], "title": run["title"]}
    times = {name: None if run[name] is None else moment(run[name]) for name in ("started_at", "wake_at", "ended_at")}
    return {
        **{name: run[name] for name in ("id", "automation", "state", "definition", "actor")},
        "about": about if run["record"] else None,
        **times,
        "reason": in_words(call.reader, run["error"]) if run["error"] else None,
    }


def _step(call: Call, step: StepTrace) -> dict[str, Any]:
    return {
        **{"path": step.path, "turn": step.turn, "action": step.action, "at": moment(step.at)},
        **{"outcome": step.outcome, "inputs": dict(step.inputs), "result": dict(step.result)},
        "reason": in_words(call.reader, step.why) if step.why else None,
    }
