"""A record that is about to be written, and what it is refused for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Entity, Field
from models import tree, unique
from models.clauses import Deed
from models.message import Message, say
from models.sight import Sight, asked_of
from models.statement import Statement
from models.validation import NO_SUCH_RECORD, Measure
from models.visible import ROOT

if TYPE_CHECKING:
    from models.records import Records

MAY_NOT_WRITE = say("You may not change this.")


@dataclass(frozen=True, slots=True)
class Draft:
    """A record that is about to be written: its values, and the names of those that were given or computed."""

    sight: Sight
    values: dict[str, Any]
    given: frozenset[str]

    @property
    def entity(self) -> Entity:
        """What it is a record of."""
        return self.sight.entity


async def unwritable(
    records: Records, sight: Sight, names: Iterable[str], values: Mapping[str, Any], deed: Deed
) -> dict[str, Message]:
    """Return a problem for each of the fields that a new record with these values may not be given."""
    refused: dict[str, Message] = {}
    for rule, named in sight.fills(tuple(names), deed):
        if not await records.holds(sight.entity.name, rule, values):
            refused |= dict.fromkeys(named, MAY_NOT_WRITE)
    return refused


def levels(
    records: Records, entity: Entity, values: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Message]:
    """Return a problem when a member would get a level that the actor neither has nor administers."""
    if entity.name != tree.MEMBER or records.access.administers(records.actor):
        return {}
    given = set(values.get("levels") or ()) - set(before.get("levels") or ())
    if given <= set(records.actor.levels):
        return {}
    return {"levels": say("You may only give levels that you have yourself.")}


async def wrong(
    records: Records, draft: Draft, names: Collection[str], unsettled: frozenset[str] = frozenset()
) -> dict[str, Message]:
    """Return what is wrong with the values of `names`, and with others that have to fit them.

    What depends on values that are `unsettled` is not asked for yet.
    """
    sight, values = draft.sight, draft.values
    asked = sight.asked(names)
    scope = await records.names_for(*asked.expressions)
    scope["record"] = await records.loader.follow(draft.entity.name, values, asked.followed)
    following = sight.following.items() if unsettled else ()
    waiting = {name for name, others in following if not others.isdisjoint(unsettled)}
    measure = Measure(scope, records.context, lambda field: _shows_what_is_hidden(draft, field), waiting)
    found = sight.declared.check(values, asked.names, measure)
    return found | await _dangling(records, draft, names)


def _shows_what_is_hidden(draft: Draft, field: Field) -> bool:
    """Whether naming a field's bounds could tell what the actor may not read: hidden fields, other records."""
    return any(path[1:] or (path[0] not in draft.given and draft.sight.hides(path[0])) for path in asked_of(field))


async def _dangling(records: Records, draft: Draft, names: Collection[str]) -> dict[str, Message]:
    """Return a problem for each reference to what does not exist or what the actor may not read."""
    problems: dict[str, Message] = {}
    for name in names:
        field = draft.sight.fields.get(name)
        value = draft.values.get(name)
        if field is None or field.type != "reference" or field.to is None or value is None:
            continue
        if name not in draft.given or (field.to == "member" and value["id"] == records.actor.id):
            continue
        sight = records.sight(field.to)
        statement = Statement(await records.rule_names(), records.context)
        statement.add(f'SELECT 1 FROM {sight.table.quoted} AS "{ROOT}" WHERE ')  # noqa: S608 (a table's name)
        statement.add(f'"{ROOT}"."id" = ').value(value["id"])
        statement.add(" AND ", sight.read)
        if await records.tx.row(statement.text, statement.values) is None:
            problems[name] = NO_SUCH_RECORD
    return problems


async def taken(records: Records, draft: Draft, names: Collection[str], *, own: bool) -> dict[str, Message]:
    """Return a problem for each unique field whose value another record has (whosever it is)."""
    problems: dict[str, Message] = {}
    for key in unique.keys(draft.entity):
        if (own or not set(names).isdisjoint(key)) and await unique.is_taken(records, draft.sight, key, draft.values):
            problems[key[0]] = unique.TAKEN
    return problems
