"""Tasks: something to do, for a member, perhaps about a record. Those about a record out of sight are not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.actor import Actor
from models.ddl import listed
from models.errors import InvalidError, NotFoundError, RefusedError
from models.message import say
from models.system import TASK
from models.tenant import Tenant
from models.tx import Row
from workflows.stored import maybe_moment, moment, must_moment, read_moment
from workflows.unit import Unit, read

LONGEST = 300
MANY = 501
"""Open tasks are counted so far."""
_COLUMNS = (
    *("id", "title", "entity", "record", "member", "due_at", "done_at", "done_by", "created_at", "created_by", "run"),
)
_SELECT = f'SELECT {listed(_COLUMNS)} FROM "_task"'  # noqa: S608 - columns of ours
_OPEN = f"""{_SELECT} WHERE "member" = ? AND "done_at" IS NULL
ORDER BY "due_at" IS NULL, "due_at", "created_at" LIMIT ?"""
_DONE = f'{_SELECT} WHERE "member" = ? AND "done_at" IS NOT NULL ORDER BY "done_at" DESC LIMIT ?'
_ABOUT = f"""{_SELECT} WHERE "entity" = ? AND "record" = ?
ORDER BY "done_at" IS NOT NULL, "due_at" IS NULL, "due_at", "done_at" DESC, "created_at" """


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do; `entity`, `record` and `record_title` say about what, if about anything."""

    id: str
    title: str
    entity: str | None
    record: str | None
    record_title: str
    member: str | None
    member_name: str
    due_at: datetime | None
    done_at: datetime | None
    done_by: str | None
    created_at: datetime
    created_by: str | None
    run: str | None


async def mine(tenant: Tenant, actor: Actor, *, done: bool = False, limit: int = 200) -> list[Task]:
    """Return the actor's tasks: open ones by when they are due (without a date last), or the ones done last first."""

    async def work(unit: Unit) -> list[Task]:
        return await tasks_mine(unit, done=done, limit=limit)

    return [] if actor.id is None else await read(tenant, actor, work)


async def tasks_mine(unit: Unit, *, done: bool = False, limit: int = 200) -> list[Task]:
    """Return the tasks of the unit's actor, in the same order."""
    return await _shown(unit, await unit.tx.rows(_DONE if done else _OPEN, [unit.actor.id, limit]))


async def count_mine(unit: Unit) -> int:
    """Return how many open tasks the unit's actor has, as far as a page counts."""
    return 0 if unit.actor.id is None else len(await tasks_mine(unit, limit=MANY))


async def about(tenant: Tenant, actor: Actor, entity: str, id: str) -> list[Task]:
    """Return the tasks about a record, open ones first; `NotFoundError` when the actor may not read it."""

    async def work(unit: Unit) -> list[Task]:
        await unit.records.get(entity, id)
        return await tasks_about(unit, entity, id)

    return await read(tenant, actor, work)


async def tasks_about(unit: Unit, entity: str, record: str) -> list[Task]:
    """Return the tasks about a record that the actor has been found to see."""
    return await _shown(unit, await unit.tx.rows(_ABOUT, [entity, record]))


async def _shown(unit: Unit, rows: Iterable[Row]) -> list[Task]:
    """Return the tasks without those about records that the actor may not read, with the names of what they name."""
    found = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    titles: dict[str, Mapping[str, str]] = {}
    for entity in {task["entity"] for task in found if task["entity"]}:
        known = entity in unit.network.entities
        ids = [task["record"] for task in found if task["entity"] == entity]
        titles[entity] = await unit.records.labels(entity, ids) if known else {}
    names = await unit.records.system.labels("member", [task["member"] for task in found if task["member"]])
    return [
        _task(task, titles.get(task["entity"], {}), names)
        for task in found
        if not task["entity"] or task["record"] in titles[task["entity"]]
    ]


def _task(row: Mapping[str, Any], titles: Mapping[str, str], names: Mapping[str, str]) -> Task:
    return Task(
        id=row["id"],
        title=row["title"],
        entity=row["entity"],
        record=row["record"],
        record_title=titles.get(row["record"], ""),
        member=row["member"],
        member_name=names.get(row["member"], ""),
        due_at=read_moment(row["due_at"]),
        done_at=read_moment(row["done_at"]),
        done_by=row["done_by"],
        created_at=must_moment(row["created_at"]),
        created_by=row["created_by"],
        run=row["run"],
    )


async def insert(
    unit: Unit, title: str, about: tuple[str, str] | None, member: str | None, due: datetime | None
) -> str:
    """Keep a task and return its id."""
    task = unit.new_id()
    entity, record = about or (None, None)
    values = [task, title[:LONGEST], entity, record, member, maybe_moment(due), None, None, moment(unit.now)]
    await unit.tx.run(TASK.insert(), [*values, unit.actor.id, unit.actor.run])
    return task


async def add(unit: Unit, title: str, about: tuple[str, str] | None, member: str | None, due: datetime | None) -> str:
    """Give a member something to do; see `commands.add_task`."""
    title = " ".join(title.split())
    if not title:
        raise InvalidError({"title": say("This is needed.")})
    if len(title) > LONGEST:
        raise InvalidError({"title": say("At most {count} characters.", count=LONGEST)})
    if about is not None:
        await unit.records.get(*about)
    if member is not None and member != unit.actor.id:
        await _visible_member(unit, member)
    if member is None and unit.actor.id is None:
        raise RefusedError(say("A task is for somebody."))
    return await insert(unit, title, about, member or unit.actor.id, due)


async def _visible_member(unit: Unit, member: str) -> None:
    try:
        await unit.records.get("member", member)
    except NotFoundError:
        problem = {"member": say("This record does not exist, or you may not see it.")}
        raise InvalidError(problem) from None


async def complete(unit: Unit, task: str) -> None:
    """Mark a task as done; see `commands.complete_task`."""
    await _own(unit, task)
    values = [moment(unit.now), unit.actor.id, task]
    await unit.tx.run('UPDATE "_task" SET "done_at" = ?, "done_by" = ? WHERE "id" = ? AND "done_at" IS NULL', values)


async def reopen(unit: Unit, task: str) -> None:
    """Take back that a task is done; see `commands.reopen_task`."""
    await _own(unit, task)
    await unit.tx.run('UPDATE "_task" SET "done_at" = NULL, "done_by" = NULL WHERE "id" = ?', [task])


async def _own(unit: Unit, task: str) -> None:
    """Refuse what is not the actor's: a task is its member's, its giver's, and of those who may update its record."""
    row = await unit.tx.row('SELECT "member", "created_by", "entity", "record" FROM "_task" WHERE "id" = ?', [task])
    if row is None:
        raise NotFoundError
    member, giver, entity, record = row
    if unit.published.access.administers(unit.actor) or (
        unit.actor.id is not None and unit.actor.id in (member, giver)
    ):
        return
    if not entity or entity not in unit.network.entities:
        raise NotFoundError
    found = await unit.records.get(entity, record)
    if "update" not in found.may:
        raise RefusedError(say("This is somebody else's task."))
