"""`choose`: take the first way whose condition holds, else the other."""

from __future__ import annotations

from definitions.spec.automation import Choose
from workflows.scene import Chosen, Scene


async def choose(scene: Scene, step: Choose) -> Chosen:
    """Return the first step of the way to go on."""
    names = await scene.names(*(branch.condition for branch in step.branches))
    for branch in step.branches:
        if branch.condition.evaluate(names, scene.unit.context) is True:
            return Chosen(branch.steps[0].path if branch.steps else None, {"if": branch.condition.text})
    return Chosen(step.otherwise[0].path if step.otherwise else None, {"else": True})
