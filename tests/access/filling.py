"""What stands in the networks: members, their records, and what hangs on these."""

from __future__ import annotations

from typing import Any

from definitions.spec.entity import Entity
from definitions.spec.network import Network
from models.accounts import store_password
from models.actor import SYSTEM
from models.errors import RequestError
from models.members import create_member
from models.system import SYSTEM_TABLES
from models.tx import Tx
from tests.access.values import mark, value_for
from tests.access.world import RELATIONS, SPONSORS, World
from tests.admin.office import HASHED
from workflows import commands


async def fill(world: World) -> None:
    """Let the members join, and give each of them a record of each entity, with all that can hang on one."""
    for turn, (name, sponsor) in enumerate(SPONSORS.items()):
        await _join(world, name, sponsor, turn)
    await _befriend(world)
    for entity in _in_order(world.network):
        owners = RELATIONS if entity.owner else ("me", "nobody")
        for turn, relation in enumerate(owners):
            await _record(world, entity, relation, turn)
    if "_closed" in SYSTEM_TABLES:
        when = world.clock.now().isoformat(sep=" ", timespec="microseconds")
        sql = 'INSERT INTO "_closed" ("member", "since") VALUES (?, ?)'
        await world.tenant.store.write(lambda tx: tx.run(sql, (world.members["shut"], when)))


def _in_order(network: Network) -> list[Entity]:
    """Return the entities, each after those that it refers to."""
    waiting = [entity for name, entity in network.entities.items() if name != "member"]
    found: list[Entity] = []
    while waiting:
        names = {each.name for each in waiting}
        ready = [e for e in waiting if not any(f.to in names - {e.name} for f in e.fields.values())] or waiting[:1]
        found += ready
        waiting = [each for each in waiting if each not in ready]
    return found


async def _join(world: World, name: str, sponsor: str | None, turn: int) -> None:
    countries = world.network.countries or ("FR",)
    levels = [each for each in world.network.levels if each not in {"public", "leader"}] or ["leader"]
    values = {
        **_values(world, world.network.entities["member"], name, turn),
        "email": f"{name}@example.com",
        "country": countries[-1] if name == "abroad" else countries[0],
        "language": world.network.languages[0],
        "sponsor": None if sponsor is None else world.members[sponsor],
        "levels": ["leader"] if name == "boss" else [levels[turn % len(levels)]],
        "active": True,
    }

    async def work(tx: Tx) -> str:
        made = await create_member(world.opened(tx), values)
        await store_password(tx, made, HASHED, world.clock.now())
        return made

    world.members[name] = world.records["member", name] = await world.tenant.store.write(work)
    world.joined[world.members[name]] = tuple(values["levels"])


async def _befriend(world: World) -> None:
    """Let members refer to one another, and one of them be no longer active."""
    references = [n for n, f in world.network.entities["member"].fields.items() if f.to == "member" and n != "sponsor"]
    names = list(SPONSORS)

    async def work(tx: Tx) -> None:
        for turn, name in enumerate(names):
            friend = world.members["me" if turn % 2 else names[(turn + 3) % len(names)]]
            values: dict[str, Any] = dict.fromkeys(references, friend)
            values |= {"active": False} if name == "gone" else {}
            await world.opened(tx).update("member", world.members[name], None, values)

    await world.tenant.store.write(work)


def _values(world: World, entity: Entity, relation: str, turn: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, declared in entity.fields.items():
        if declared.compute is not None or declared.built_in:
            continue
        if declared.to is not None:
            found[name] = _other(world, declared.to, relation, turn)
        else:
            found[name] = value_for(world.network, declared, next(world.numbers), turn)
    if entity.name == "member":
        found |= {name: mark(next(world.numbers)) for name in ("first_name", "last_name")}
        found["phone"] = f"+3363998{next(world.numbers) % 10_000:04d}"
    return found


def _other(world: World, entity: str, relation: str, turn: int) -> str | None:
    """Return somebody else's record, so that what is seen may refer to what is not."""
    there = [each for each in RELATIONS if (entity, each) in world.records]
    if not there:
        return None
    return world.records[entity, there[(turn + 4) % len(there)]] if turn % 3 else world.records[entity, there[-1]]


async def _record(world: World, entity: Entity, relation: str, turn: int) -> None:
    """Make a record with a past: a value that is no more, a note, a task, a step."""
    tenant, name = world.tenant, entity.name
    values = _values(world, entity, relation, turn)
    if relation == "abroad" and "country" in values and world.network.countries:
        values["country"] = world.network.countries[-1]
    if entity.owner:
        values["owner"] = world.members.get(relation)
    for process in entity.processes:
        states = list(world.network.processes[process].states)
        values[process] = states[turn % len(states)]
    made = (await commands.create(tenant, SYSTEM, name, values)).id
    world.records[name, relation] = made
    await commands.note(tenant, SYSTEM, name, made, f"noted {mark(next(world.numbers))}")
    title = f"to do {mark(next(world.numbers))}"
    await commands.add_task(tenant, SYSTEM, title=title, about=(name, made), member=world.members["me"])
    again = {
        each: value_for(world.network, declared, next(world.numbers), turn)
        for each, declared in entity.fields.items()
        if declared.type in {"text", "phone", "money"} and declared.compute is None
    }
    await commands.update(tenant, SYSTEM, name, made, None, again)
    await _step(world, entity, made)


async def _step(world: World, entity: Entity, record: str) -> None:
    for offer in await commands.offers(world.tenant, SYSTEM, entity.name, record):
        try:
            await commands.move(world.tenant, SYSTEM, entity.name, record, offer.transition.name, process=offer.process)
        except RequestError:
            continue
        return
