"""What is done in somebody's office beside the reference: steps, new records, removals, gifts and jobs about them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from definitions.spec.process import Process, Transition
from models import delegations
from models.actor import Actor
from models.errors import InvalidError, NotFoundError, RequestError
from tests.access.acting import answered, born, given_value, held, knows
from tests.access.reference import Row
from tests.access.world import World
from workflows import commands, jobs
from workflows.chart import leaving
from workflows.deeds import Action


async def acts(world: World) -> None:
    """Everything that changes a record, alone and as a job, as who is in the office that was entered."""
    actor = await entered(world)
    for process in world.network.processes.values():
        for row in world.sorts(process.entity):
            for move in process.transitions.values():
                await _moves(world, actor, process, move, row)
    for entity in world.network.entities:
        await _creates(world, actor, entity)
        for row in world.sorts(entity):
            await _deletes(world, actor, entity, row)
            await _gives(world, actor, entity, row)


async def entered(world: World) -> Actor:
    """Return who acts in the office that the session of `me` is in."""
    found = await world.tenant.store.read(
        lambda tx: delegations.enter(world.tenant.published, tx, world.delegation, world.clock.now())
    )
    assert found is not None
    return found.actor


async def _tried(deed: Awaitable[object]) -> RequestError | None:
    try:
        await deed
    except RequestError as error:
        return error
    return None


async def _moves(world: World, actor: Actor, process: Process, move: Transition, row: Row) -> None:
    asked, me, entity = world.reference, world.person, process.entity
    form = {name: answered(world, question) for name, question in move.form.items()}
    granted = move in leaving(process, row[process.name]) and asked.granted(me, process, move, row)
    expected = granted and asked.guarded(me, entity, row, move, form)
    where = ("office move", entity, row["id"], move.name)
    said = await _tried(
        commands.move(world.tenant, actor, entity, row["id"], move.name, process=process.name, form=form)
    )
    if isinstance(said, InvalidError):  # a question of the form that none of the values suits
        return
    world.same(said is None, expected, *where)
    _absent(world, entity, row, said, *where)
    if move.bulk and asked.ever(me, entity, "read"):
        asks = {"process": process.name, "transition": move.name, "form": form}
        world.same(await _job(world, actor, entity, "move", asks, row), expected, "job", *where)


def _absent(world: World, entity: str, row: Row, said: RequestError | None, *where: str) -> None:
    readable = world.reference.readable(world.person, entity, row)
    world.same(isinstance(said, NotFoundError), not readable, *where, "absent")


async def _job(world: World, actor: Actor, entity: str, action: Action, asks: Mapping[str, Any], row: Row) -> bool:
    """Whether a job did something to a record."""
    try:
        return (await jobs.begin(world.tenant, actor, entity, action, asks, [row["id"]])).done == 1
    except RequestError:
        return False


async def _creates(world: World, actor: Actor, entity: str) -> None:
    asked, me, definition = world.reference, world.person, world.network.entities[entity]
    for owner in world.rows("member") if definition.owner else (None,):
        fields = {name: each for name, each in definition.fields.items() if each.required and each.compute is None}
        given = {name: given_value(world, each, 0) for name, each in fields.items()}
        given |= {} if owner is None else {"owner": {"id": owner["id"]}}
        row = born(world, entity, given)
        known = owner is None or owner["id"] == me.id or asked.readable(me, "member", owner)
        known = known and all(knows(world, each, given[name]) for name, each in fields.items() if each.to)
        filled = all(asked.fillable(me, entity, row, name) for name in given)
        expected = known and filled and asked.may_create(me, entity, row)
        said = await _tried(commands.create(world.tenant, actor, entity, given))
        if entity == "member" and isinstance(said, InvalidError):
            continue
        world.same(said is None, expected, "office create", entity, owner and owner["id"])


async def _deletes(world: World, actor: Actor, entity: str, row: Row) -> None:
    asked, me = world.reference, world.person
    expected = asked.may(me, entity, row, "delete") and not held(world, entity, row["id"])
    said = await _tried(commands.delete(world.tenant, actor, entity, row["id"], None))
    world.same(said is None, expected, "office delete", entity, row["id"])
    _absent(world, entity, row, said, "office delete", entity, row["id"])
    if asked.ever(me, entity, "read"):
        world.same(await _job(world, actor, entity, "delete", {}, row), expected, "job", "delete", entity, row["id"])


async def _gives(world: World, actor: Actor, entity: str, row: Row) -> None:
    asked, me = world.reference, world.person
    for member in world.rows("member") if world.network.entities[entity].owner else ():
        if row["owner"] is not None and member["id"] == row["owner"]["id"]:
            continue
        after = {**row, "owner": {"id": member["id"]}}
        able = asked.may(me, entity, row, "update") and asked.writable(me, entity, row, "owner")
        known = member["id"] == me.id or asked.readable(me, "member", member)
        expected = able and known and asked.may_update_to(me, entity, after)
        done = await _job(world, actor, entity, "assign", {"owner": member["id"]}, row)
        world.same(done, expected, "job", "assign", entity, row["id"], member["id"])
