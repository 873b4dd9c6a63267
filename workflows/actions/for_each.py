"""`for_each`: go through the items of a list or the records of a query, which are read once."""

from __future__ import annotations

from typing import Any

from definitions.spec.automation import ForEach, Selection
from models.message import say
from models.query import Query
from workflows import items, turns
from workflows.scene import Looped, Scene, StepError


async def for_each(scene: Scene, step: ForEach) -> Looped:
    """Keep what there is to go through; nothing when it is null or nothing is found."""
    if isinstance(step.items, Selection):
        count, inputs = await _records(scene, step.items)
    else:
        names = await scene.names(step.items)
        found = step.items.compute(names, scene.unit.context)
        values = list(found) if isinstance(found, list | tuple) else []
        if step.entity is not None:
            values = [value for value in values if value is not None]
        _bound(len(values))
        count = await items.keep_values(scene.unit, turns.prefix(scene.run), step.entity, values)
        inputs = {} if step.items.expression is None else {"in": step.items.expression.text}
    return Looped(step.name, count, inputs)


async def _records(scene: Scene, wanted: Selection) -> tuple[int, dict[str, Any]]:
    most = turns.MOST + 1 if wanted.limit is None else min(wanted.limit, turns.MOST + 1)
    names = await scene.names(wanted.where)
    entity = scene.earlier.renames.entity(wanted.entity)
    query = Query(sort=scene.earlier.sort(entity, wanted.sort), limit=most)
    sought = items.Sought(entity, wanted.entity, query, scene.where(entity, wanted.where), names)
    count = await items.keep_records(scene.unit, turns.prefix(scene.run), sought)
    _bound(count)
    where = {} if wanted.where is None else {"where": wanted.where.text}
    return count, {"entity": wanted.entity, **where, "sort": wanted.sort, "limit": wanted.limit}


def _bound(count: int) -> None:
    if count > turns.MOST:
        raise StepError(say("There are more than {count} to go through: give the loop a limit.", count=turns.MOST))
