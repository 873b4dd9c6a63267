"""Saved views: the parameters of a list under a name, a member's own or shared with levels. They widen no access."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from models.actor import Actor
from models.errors import InvalidError, NotFoundError, RefusedError
from models.message import Message, say
from models.records import Records
from models.system import FIRST_VIEW, VIEW
from models.tenant import Tenant
from models.tx import Row
from workflows.stored import dump, moment
from workflows.unit import Unit, write

LONGEST = 80
LONGEST_QUERY = 4000
MOST = 50
"""Views that a member keeps of an entity at most."""

_SELECT = 'SELECT "id", "entity", "member", "name", "query", "levels" FROM "_view"'
_VISIBLE = f'{_SELECT} WHERE "entity" = ? AND ("member" = ? OR "levels" IS NOT NULL) ORDER BY "created_at", "id"'
_CHANGE = 'UPDATE "_view" SET "name" = ?, "query" = ?, "levels" = ?, "changed_at" = ? WHERE "id" = ?'


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view: `query` as an address has it, `levels` whom it is shared with, `mine` whether the reader keeps it.

    `first`: the reader's list of the entity opens with it.
    """

    id: str
    name: str
    query: str
    levels: tuple[str, ...]
    mine: bool
    first: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """What a view is to be; `first` whether the list opens with it."""

    name: str
    query: str
    levels: tuple[str, ...] = ()
    first: bool = False


async def visible(records: Records, entity: str) -> list[SavedView]:
    """Return the actor's views of an entity and those that are shared with a level of the actor, the oldest first."""
    actor = records.actor
    if actor.id is None:
        return []
    rows = await records.tx.rows(_VISIBLE, [entity, actor.id])
    if not rows:
        return []
    first = await records.tx.row('SELECT "view" FROM "_first_view" WHERE "id" = ?', [_first(actor, entity)])
    administers = records.access.administers(actor)
    found = (_view(row, actor, first) for row in rows)
    return [view for view in found if view.mine or administers or set(view.levels) & set(actor.levels)]


def _view(row: Row, actor: Actor, first: Row | None) -> SavedView:
    identifier, _, member, name, query, levels = row
    kept: tuple[str, ...] = tuple(json.loads(levels)) if levels else ()
    return SavedView(identifier, name, query, kept, member == actor.id, first is not None and first[0] == identifier)


def _first(actor: Actor, entity: str) -> str:
    return f"{actor.id}:{entity}"


async def keep(tenant: Tenant, actor: Actor, entity: str, wish: Wish) -> str:
    """Keep a new view and return its id; `InvalidError`, or `RefusedError` where the actor may not share."""

    async def work(unit: Unit) -> str:
        await unit.tx.lock(f"views:{unit.actor.id}")
        _check(unit, entity, wish)
        row = await unit.tx.row(
            'SELECT count(*) FROM "_view" WHERE "entity" = ? AND "member" = ?', [entity, unit.actor.id]
        )
        if row is not None and row[0] >= MOST:
            raise InvalidError({"name": say("These are too many views: delete some first.")})
        view, now = unit.new_id(), moment(unit.now)
        values = [view, entity, unit.actor.id, _name(wish), wish.query, _levels(wish), now, now]
        await unit.tx.run(VIEW.insert(), values)
        await _open_with(unit, entity, view, first=wish.first)
        return view

    return await write(tenant, actor, work)


async def change(tenant: Tenant, actor: Actor, entity: str, view: str, wish: Wish) -> None:
    """Change a view of one's own, or (who administers the network) one that is shared; `NotFoundError` else."""

    async def work(unit: Unit) -> None:
        _check(unit, entity, wish)
        await _own(unit, entity, view)
        await unit.tx.run(_CHANGE, [_name(wish), wish.query, _levels(wish), moment(unit.now), view])
        await _open_with(unit, entity, view, first=wish.first)

    await write(tenant, actor, work)


async def open_with(tenant: Tenant, actor: Actor, entity: str, view: str, *, first: bool) -> None:
    """Let the actor's list of the entity open with a view that the actor sees, or no longer; `NotFoundError`."""

    async def work(unit: Unit) -> None:
        if all(each.id != view for each in await visible(unit.records, entity)):
            raise NotFoundError
        await _open_with(unit, entity, view, first=first)

    await write(tenant, actor, work)


async def delete(tenant: Tenant, actor: Actor, entity: str, view: str) -> None:
    """Delete a view; whose like `change`."""

    async def work(unit: Unit) -> None:
        await _own(unit, entity, view)
        await unit.tx.run('DELETE FROM "_view" WHERE "id" = ?', [view])
        await unit.tx.run('DELETE FROM "_first_view" WHERE "view" = ?', [view])

    await write(tenant, actor, work)


async def _own(unit: Unit, entity: str, view: str) -> None:
    for each in await visible(unit.records, entity):
        if each.id == view and (each.mine or unit.published.access.administers(unit.actor)):
            return
    raise NotFoundError


async def _open_with(unit: Unit, entity: str, view: str, *, first: bool) -> None:
    key = _first(unit.actor, entity)
    if first:
        await unit.tx.run('DELETE FROM "_first_view" WHERE "id" = ?', [key])
        await unit.tx.run(FIRST_VIEW.insert(), [key, view])
    else:
        await unit.tx.run('DELETE FROM "_first_view" WHERE "id" = ? AND "view" = ?', [key, view])


def _check(unit: Unit, entity: str, wish: Wish) -> None:
    known = entity in unit.network.entities
    if unit.actor.id is None or not known or not unit.published.access.may(unit.actor, "read", entity):
        raise NotFoundError
    problems: dict[str, Message] = {}
    name = _name(wish)
    if not name or not name.isprintable():
        problems["name"] = say("This is needed.")
    elif len(name) > LONGEST:
        problems["name"] = say("At most {count} characters.", count=LONGEST)
    if len(wish.query) > LONGEST_QUERY:
        problems["name"] = say("These are too many filters to keep.")
    if problems:
        raise InvalidError(problems)
    if wish.levels:
        _check_levels(unit, wish.levels)


def _check_levels(unit: Unit, levels: Collection[str]) -> None:
    if not unit.published.access.administers(unit.actor):
        raise RefusedError(say("Only who runs the network shares views."))
    if not set(levels) <= set(unit.network.levels):
        raise InvalidError({"levels": say("This is not one of the options.")})


def _name(wish: Wish) -> str:
    return " ".join(wish.name.split())


def _levels(wish: Wish) -> Any:
    return dump(sorted(set(wish.levels))) if wish.levels else None
