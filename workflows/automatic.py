"""Moves that nobody takes: after each change of a record, those whose guards hold, until its processes rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from definitions.spec.process import Process, Transition
from models.errors import RefusedError
from models.message import say
from models.record import Record
from workflows import chart, history
from workflows.chart import Taken
from workflows.history import Step, stored
from workflows.subscriptions import expressions
from workflows.unit import Unit

if TYPE_CHECKING:
    from workflows.triggers import Occurrence

LIMIT = 100
"""Moves that may follow from one change by themselves."""

Start = Callable[[Unit, "Occurrence"], Awaitable[None]]
"""Starts what waits for something that happened."""


def awaits(unit: Unit, entity: str) -> bool:
    """Whether records of an entity may move by themselves."""
    return any(unit.network.processes[name].automatic for name in unit.network.entities[entity].processes)


async def follow(unit: Unit, event: Occurrence, start: Start) -> Record | None:
    """Take the moves that a change makes possible by themselves; return the record after them, None without any.

    They are the system's, in the transaction of the change, and the history says of which change they follow. What
    they send is held back as long as what the change itself sends. Refused when they find no end.
    """
    if event.kind == "deleted" or not awaits(unit, event.record.entity):
        return None
    system = replace(unit, actor=unit.records.system.actor, records=unit.records.system)
    found: Record | None = None
    for _ in range(LIMIT):
        record = found or await system.records.find(event.record.entity, event.record.id)
        moves = await _next(system, record)
        if moves is None:
            return found
        found = await _take(system, record, moves, event, start)
    raise RefusedError(say("The moves that follow by themselves would never end."))


async def _next(unit: Unit, record: Record) -> tuple[Process, tuple[Taken, ...]] | None:
    """Return the moves of the first process of which some are possible."""
    for name in unit.network.entities[record.entity].processes:
        process = unit.network.processes[name]
        if not process.automatic:
            continue
        guards = expressions(*(each.guard for each in process.automatic))
        names = await unit.records.env(record, guards)

        def holds(transition: Transition, names: dict[str, object] = names) -> bool:
            return transition.guard is not None and transition.guard.evaluate(names, unit.context) is True

        taken = chart.automatic(process, record.full[name], holds)
        if taken:
            return process, taken
    return None


async def _take(
    unit: Unit, record: Record, moves: tuple[Process, tuple[Taken, ...]], event: Occurrence, start: Start
) -> Record:
    """Take moves of one step, in order; all of them set fields by the values before it."""
    process, taken = moves
    wanted = expressions(*(value for each in taken for value in each.transition.set.values()))
    names = await unit.records.env(record, wanted, before=record.full)
    for each in taken:
        values = {name: value.compute(names, unit.context) for name, value in each.transition.set.items()}
        change = await unit.records.rewrite(record, {**values, process.name: each.configuration})
        record = change.after
        fields = history.told(change.fields)
        row = await history.keep(
            unit,
            "moved",
            record.entity,
            record.id,
            before=stored(unit, record.entity, change.before.full, fields),
            after=stored(unit, record.entity, record.full, fields),
            step=Step.of(process.name, each, cause=event.history),
        )
        moved = replace(
            event,
            kind="moved",
            record=record,
            history=row,
            before=change.before.full,
            fields=frozenset(fields),
            process=process.name,
            taken=each,
        )
        await start(unit, moved)
    return record
