"""`move`: take a transition of the record, or of another one."""

from __future__ import annotations

from collections.abc import Mapping

from definitions.spec.automation import Move
from models.message import say
from workflows import moves
from workflows.moves import Request
from workflows.scene import Done, Scene, StepError


async def move(scene: Scene, step: Move) -> Done:
    """Take the transition, as the system: rights do not count, state and guard do."""
    unit = scene.unit
    names = await scene.names(step.record, *step.form.values())
    form = {name: value.compute(names, unit.context) for name, value in step.form.items()}
    today = scene.earlier.renames
    process, transition = today.process(step.process), today.transition(step.process, step.transition)
    if process not in unit.network.processes:
        raise StepError(say("There is no such transition any more."))
    entity = unit.network.processes[process].entity
    record = _id(scene, entity) if step.record is None else _id_of(step.record.compute(names, unit.context))
    if record is None:
        raise StepError(say("There is no record to move."))
    moved = await moves.move(unit, Request(entity, record, transition, process, form))
    inputs = {"record": record, "transition": f"{step.process}.{step.transition}", "form": form}
    return Done(inputs, {"history": moved.history}, stale=True)


def _id(scene: Scene, entity: str) -> str | None:
    record = scene.living
    return record.id if record is not None and record.entity == entity else None


def _id_of(value: object) -> str | None:
    return str(value["id"]) if isinstance(value, Mapping) else None
