"""`assign`: give the record to a member."""

from __future__ import annotations

from collections.abc import Mapping

from definitions.spec.automation import Assign
from models.members import MEMBER, load_actor
from models.message import say
from workflows import assigning, changes
from workflows.scene import Done, Scene, Skipped, StepError


async def assign(scene: Scene, step: Assign) -> Done | Skipped:
    """Make the member the record's owner, as the system: a change like any other, with its history."""
    unit, record = scene.unit, scene.living
    if record is None:
        raise StepError(say("There is no record to change."))
    names = await scene.names(step.to, step.among)
    if step.pick is None:
        member = _id(None if step.to is None else step.to.compute(names, unit.context))
        if member is None or await load_actor(unit.published, unit.tx, member) is None:
            raise StepError(say("There is no active member to give it to."))
        inputs: dict[str, object] = {"to": member}
    else:
        wanted = assigning.Wanted(
            scene.run.automation, step.id or step.path, record.entity, scene.where(MEMBER, step.among)
        )
        member = await assigning.pick(unit, wanted, names, least_busy=step.pick == "least_busy")
        inputs = {"pick": step.pick, "among": None if step.among is None else step.among.text}
    if member == _id(record.full.get("owner")):
        return Skipped(say("It belongs to that member already."), {**inputs, "member": member})
    change, history = await changes.update_traced(unit, record.entity, record.id, None, {"owner": member})
    return Done(inputs, {"member": member, "changed": list(change.fields), "history": history}, stale=True)


def _id(value: object) -> str | None:
    return str(value["id"]) if isinstance(value, Mapping) else None
