"""`create`: create a record, known by a name in the steps that follow."""

from __future__ import annotations

from definitions.spec.automation import Create
from workflows import changes
from workflows.scene import Done, Scene


async def create(scene: Scene, step: Create) -> Done:
    """Create the record, as the system. One that belongs to a member is the owner's of the run's record by default."""
    unit = scene.unit
    names = await scene.names(*step.values.values())
    values = {name: value.compute(names, unit.context) for name, value in step.values.items()}
    entity = scene.earlier.renames.entity(step.entity)
    given = scene.earlier.written(entity, values)
    if unit.network.entities[entity].owner and scene.record is not None:
        given.setdefault("owner", scene.record.full.get("owner"))
    record, history = await changes.create_traced(unit, entity, given)
    made = {} if step.as_name is None else {step.as_name: (step.entity, record.id)}
    return Done(values, {"created": [entity, record.id], "history": history}, made=made)
