"""`task`: give a member something to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from definitions.expr.periods import start_of
from definitions.spec.automation import Task
from models.members import load_actor
from models.message import say
from workflows import tasks
from workflows.scene import Done, Scene, Skipped, StepError


async def task(scene: Scene, step: Task) -> Done | Skipped:
    """Keep the task in its member's language: by default the owner's of the record, else for who caused the run."""
    unit = scene.unit
    names = await scene.names(step.for_member, step.due, step.about)
    member = _member(scene) if step.for_member is None else _id(step.for_member.compute(names, unit.context))
    if member is None:
        raise StepError(say("There is nobody to give the task to."))
    actor = await load_actor(unit.published, unit.tx, member)
    if actor is None:
        return Skipped(say("The member is not active."), {"for": member})
    due = _moment(scene, step.due.compute(names, unit.context)) if step.due is not None else None
    about = _about(scene) if step.about is None else _target(scene, step, step.about.compute(names, unit.context))
    title = step.title.pick(actor.language, *unit.network.languages)
    made = await tasks.insert(unit, title, about, member, due)
    return Done({"title": title, "for": member, "due": due, "about": about}, {"task": made})


def _member(scene: Scene) -> str | None:
    owner = None if scene.record is None else _id(scene.record.full.get("owner"))
    return owner or scene.unit.actor.id


def _id(value: Any) -> str | None:
    return str(value["id"]) if isinstance(value, Mapping) else None


def _moment(scene: Scene, value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return start_of(value, scene.unit.context) if isinstance(value, date) else None


def _about(scene: Scene) -> tuple[str, str] | None:
    record = scene.living
    return None if record is None else (record.entity, record.id)


def _target(scene: Scene, step: Task, value: Any) -> tuple[str, str] | None:
    """Return what the task is about when the definition says it; the expression's type names the entity."""
    record = _id(value)
    expression = None if step.about is None else step.about.expression
    entity = getattr(expression.type, "entity", None) if expression is not None else None
    entity = entity and scene.earlier.renames.entity(entity)
    return None if record is None or entity is None else (entity, record)
