"""`set`: change fields of the record."""

from __future__ import annotations

from definitions.spec.automation import SetFields
from models.message import say
from workflows import changes
from workflows.scene import Done, Scene, StepError


async def set_fields(scene: Scene, step: SetFields) -> Done:
    """Change the fields, as the system; what follows from the change starts as from any other."""
    record = scene.living
    if record is None:
        raise StepError(say("There is no record to change."))
    names = await scene.names(*step.values.values())
    values = {name: value.compute(names, scene.unit.context) for name, value in step.values.items()}
    change, history = await changes.update_traced(
        scene.unit, record.entity, record.id, None, scene.earlier.written(record.entity, values)
    )
    result = {"changed": list(change.fields), "history": history}
    return Done(values, result, stale=True)
