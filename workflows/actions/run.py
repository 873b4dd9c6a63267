"""`run`: start another automation for the record."""

from __future__ import annotations

from definitions.spec.automation import Run
from models.message import say
from workflows.beginning import Beginning, begin
from workflows.scene import Done, Scene, Skipped, StepError


async def run(scene: Scene, step: Run) -> Done | Skipped:
    """Start it as a trigger would, on its own: its condition, its mode and its key decide, and this run goes on."""
    unit, record = scene.unit, scene.record
    automation = unit.network.automations.get(scene.earlier.renames.automations.get(step.automation, step.automation))
    if automation is None:
        raise StepError(say("The automation is gone."))
    if automation.entity is not None and (record is None or record.entity != automation.entity):
        raise StepError(say("The record that this step is about is gone."))
    beginning = Beginning(
        cause=scene.run.id,
        what=f"run {scene.run.automation}",
        record=record if automation.entity is not None else None,
        before={} if scene.elsewhere else scene.before,
        gone=scene.living is None and record is not None,
    )
    begun = await begin(unit, automation, beginning)
    inputs = {"automation": automation.name}
    if begun.state in ("not_fired", "failed"):
        return Skipped(say("The automation did not start: its trace says why."), {**inputs, "run": begun.id})
    return Done(inputs, {"run": begun.id})
