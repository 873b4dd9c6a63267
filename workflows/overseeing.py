"""What who administers the network sees of runs, and does about them: once more, past a step, no further."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, get_args

from models.errors import NotFoundError, RefusedError
from models.message import say
from models.query import Filter, Query
from models.record import Record
from workflows import outbox, registers, runs, unfired
from workflows.guards import Weighed
from workflows.registers import Entry
from workflows.registry import REGISTERS
from workflows.runs import Run, State
from workflows.stored import read_message
from workflows.traces import StepTrace, steps_of
from workflows.unfired import Begun
from workflows.unit import Unit

LISTED = 50
"""Runs on a page of their list."""
OPEN: tuple[State, ...] = ("failed", "waiting", "running")
"""States in which something can be done about a run; the first are the dead letters."""

_RUNS = REGISTERS["run"]
_WHY = 'SELECT "error" FROM "_run" WHERE "id" = ?'
_LOST = """SELECT count(*) FROM "_outbox" WHERE "state" = 'dead'
AND "kind" NOT IN ('run', 'check', 'mail', 'sms', 'hook')"""


@dataclass(frozen=True, slots=True)
class Page:
    """Runs, the latest first; `counts` has those of the open states, `more` says that there are earlier ones.

    `lost` is how much other owed work failed for good: timers, schedules, what nobody else shows.
    """

    runs: tuple[Entry, ...]
    counts: Mapping[State, int]
    more: bool
    lost: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A run with its last steps, what it waits for or failed at (`step`), and what can be done about it; `asks` is what
    the condition asks for of one that was not begun.
    """

    run: Entry
    steps: tuple[StepTrace, ...]
    step: str | None
    may: frozenset[str]
    asks: tuple[Weighed, ...] = ()


async def page(unit: Unit, state: str | None, offset: int = 0, automation: str | None = None) -> Page:
    """Return a page of the runs that the actor may see, in one state or in all, of one automation or of all."""
    _check(unit)
    of = (Filter("automation", "equals", automation),) if automation else ()
    wanted = (Filter("state", "equals", state), *of) if state in get_args(State) else of
    query = Query(filters=wanted, sort="-started_at", limit=LISTED + 1, offset=offset)
    found = await registers.page(unit, _RUNS, query)
    lost = await unit.tx.row(_LOST)
    return Page(tuple(found[:LISTED]), await counts(unit, of), len(found) > LISTED, int(lost[0]) if lost else 0)


async def counts(unit: Unit, of: tuple[Filter, ...] = ()) -> dict[State, int]:
    """Return how many runs are in each of the open states, of those that the actor may see."""
    wanted = {state: Query(filters=(Filter("state", "equals", state), *of)) for state in OPEN}
    return {state: await registers.count(unit, _RUNS, query) for state, query in wanted.items()}


async def failed(unit: Unit) -> int:
    """Return how many runs failed and nobody decided about yet, of those that the actor may see."""
    return await registers.count(unit, _RUNS, Query(filters=(Filter("state", "equals", "failed"),)))


async def one(unit: Unit, run_id: str) -> Shown:
    """Return a run; `NotFoundError` when there is none that the actor may see."""
    run = await _seen(unit, run_id)
    entry = await registers.entry(unit, _RUNS, run_id)
    at = run.cursor.get("id") or run.cursor.get("at")
    record, begun = await _record(unit, run), Begun(run.automation, run.definition, run.actor)
    asks = await _asks(unit, run, begun, record) if run.state == "not_fired" else ()
    told = {**entry, "error": unfired.UNMET} if asks else entry
    return Shown(told, await steps_of(unit, run_id, begun, record), at, _may(run), asks)


async def _record(unit: Unit, run: Run) -> Record | None:
    """Return the record of a run as the actor sees it; None where it is gone or closed: nothing about it is told."""
    if run.entity is None or run.record is None:
        return None
    with suppress(NotFoundError):
        return await unit.records.find(run.entity, run.record)
    return None


async def _asks(unit: Unit, run: Run, begun: Begun, record: Record | None) -> tuple[Weighed, ...]:
    row = await unit.tx.row(_WHY, [run.id])
    return await unfired.weigh(unit, record, begun, run.cursor, None if row is None else read_message(row[0]))


def _may(run: Run) -> frozenset[str]:
    if run.state == "failed":
        return frozenset({"retry", "cancel", *(["skip"] if run.cursor.get("at") else [])})
    if run.state == "waiting" and run.cursor.get("at"):
        return frozenset({"skip", "cancel"})
    return frozenset({"cancel"} if run.state in OPEN else ())


async def retry(unit: Unit, run_id: str) -> None:
    """Let a run that failed go on with the step at which it failed; `RefusedError` for any other."""
    run = await _handled(unit, run_id, "retry", say("Only a run that failed can be tried again."))
    await _go_on(unit, run, {"again": _name(unit)})


async def skip(unit: Unit, run_id: str) -> None:
    """Let a run that failed or waits go on behind its step; `RefusedError` for any other."""
    run = await _handled(unit, run_id, "skip", say("This run stands at no step that could be skipped."))
    await _go_on(unit, run, {"skip": _name(unit)})


async def cancel(unit: Unit, run_id: str) -> None:
    """End a run that is under way, or put one aside that failed; `RefusedError` for one that is over."""
    run = await _handled(unit, run_id, "cancel", say("This run is over."))
    await outbox.settle(unit.tx, f"run:{run.id}:", unit.now)
    await runs.end(unit, run, "cancelled", say("Ended by {name}.", name=_name(unit)))


async def _go_on(unit: Unit, run: Run, asked: Mapping[str, Any]) -> None:
    if run.state == "failed" and await runs.has_other(unit, run):
        raise RefusedError(say("Another run for the same record is under way: this one cannot go on beside it."))
    kept = {name: value for name, value in run.cursor.items() if name not in runs.OF_PAUSES}
    await outbox.cancel(unit.tx, f"run:{run.id}:", unit.now)
    await outbox.settle(unit.tx, f"run:{run.id}:", unit.now)
    await runs.reopen(unit, replace(run, state="running", cursor={**kept, **asked}))


async def _handled(unit: Unit, run_id: str, what: str, refusal: Any) -> Run:
    run = await _seen(unit, run_id)
    if what not in _may(run):
        raise RefusedError(refusal)
    return run


async def _seen(unit: Unit, run_id: str) -> Run:
    _check(unit)
    await registers.entry(unit, _RUNS, run_id)
    run = await runs.load(unit.tx, run_id)
    if run is None:
        raise NotFoundError
    return run


def _check(unit: Unit) -> None:
    if not unit.published.access.administers(unit.actor):
        raise NotFoundError


def _name(unit: Unit) -> str:
    return str((unit.actor.member or {}).get("name") or "–")


def result_of(step: StepTrace) -> str:
    """Return what a step was given and what came of it, as JSON for people."""
    told = {"inputs": step.inputs, "result": step.result}
    return json.dumps({name: value for name, value in told.items() if value}, ensure_ascii=False, indent=1)
