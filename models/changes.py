"""Creating, changing and deleting records under an actor's rights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from definitions.spec.entity import Entity, Field
from models import computed, tree
from models.connections import fold
from models.ddl import listed, quoted
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError
from models.message import Message, say
from models.record import Change, Record
from models.sight import Sight
from models.statement import Statement
from models.validation import NO_SUCH_RECORD, TAKEN, all_fields, check, clean
from models.visible import FOLD, ROOT

if TYPE_CHECKING:
    from models.records import Records

_MAY_NOT_WRITE = say("You may not change this.")
_OUT_OF_REACH = say("You may not do this: the record would not be within your reach.")
_MACHINERY = frozenset({"created_at", "updated_at", "last_activity_at", "created_by"})


@dataclass(frozen=True, slots=True)
class _Draft:
    """A record that is about to be written: its values, and the names of those that were given or computed."""

    sight: Sight
    values: dict[str, Any]
    given: frozenset[str]

    @property
    def entity(self) -> Entity:
        return self.sight.entity


async def create(records: Records, entity: str, raw: Mapping[str, Any]) -> Record:
    """Insert a record; see `Records.create`."""
    sight = records.sight(entity)
    rights = records.rights
    if not records.access.may(records.actor, "create", entity):
        raise (
            NotFoundError
            if not records.access.may(records.actor, "read", entity)
            else RefusedError(say("You may not create this."))
        )
    states, machinery, asked = _split(records, sight.entity, raw)
    cleaned = clean(records.network, sight.entity, asked, {})
    values = await _new_values(records, sight, cleaned.values, {**machinery, **states})
    if not await records.holds(entity, rights.row(entity, "create"), values):
        raise RefusedError(_OUT_OF_REACH)
    problems = dict(cleaned.problems)
    for name in asked:
        if name in cleaned.values and not await records.holds(entity, rights.new_field(entity, name), values):
            problems[name] = _MAY_NOT_WRITE
    problems |= _levels(records, sight.entity, values, {})
    draft = _Draft(sight, values, frozenset(cleaned.values))
    checked = {name for name, field in all_fields(sight.entity).items() if field.compute is None}
    await _validate(records, draft, checked, problems, own=True)
    await tree.place(records, entity, values)
    await _insert(records, draft)
    return await see(records, sight, values)


async def _new_values(
    records: Records, sight: Sight, given: Mapping[str, Any], machinery: Mapping[str, Any]
) -> dict[str, Any]:
    entity = sight.entity
    now = records.context.now
    creator = None if records.actor.id is None else {"id": records.actor.id}
    values: dict[str, Any] = dict.fromkeys(sight.names)
    values |= {"id": records.new_id(), "version": 1, "created_at": now, "updated_at": now, "created_by": creator}
    values |= {"last_activity_at": None if records.actor.kind == "system" else now}
    values |= {name: records.network.processes[name].initial for name in entity.processes}
    values |= machinery
    if entity.owner:
        values["owner"] = creator
    values |= await _defaults(records, entity, given)
    values |= given
    values |= await computed.compute(records, entity, values)
    return values


async def _defaults(records: Records, entity: Entity, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of the fields that were not given at all; a field that was left empty stays empty."""
    missing = [field for name, field in entity.fields.items() if field.default is not None and name not in given]
    expressions = [field.default.expression for field in missing if field.default and field.default.expression]
    names = await records.names_for(*expressions)
    found = {field.name: field.default.compute(names, records.context) for field in missing if field.default}
    return dict(clean(records.network, entity, found, given).values)


def _split(
    records: Records, entity: Entity, raw: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the states, the system fields and the fields that were given; the first two are for the system alone."""
    system = records.actor.kind == "system"
    states = {name: raw[name] for name in entity.processes if name in raw}
    machinery = {name: raw[name] for name in _MACHINERY if name in raw}
    asked = {name: value for name, value in raw.items() if name not in states and name not in machinery}
    if not system and (states or machinery):
        raise InvalidError(dict.fromkeys([*states, *machinery], _MAY_NOT_WRITE))
    unknown = {
        name: say("This is not one of the options.")
        for name, state in states.items()
        if state not in records.network.processes[name].states
    }
    if unknown:
        raise InvalidError(unknown)
    return states, machinery, asked


async def update(records: Records, entity: str, record_id: str, version: int | None, raw: Mapping[str, Any]) -> Change:
    """Change a record; see `Records.update`."""
    before = await records.get(entity, record_id)
    if "update" not in before.may:
        raise RefusedError(say("You may not change this record."))
    if version is not None and version != before.version:
        raise ConflictError(before.version)
    return await rewrite(records, before, raw)


async def rewrite(records: Records, before: Record, raw: Mapping[str, Any]) -> Change:
    """Change a record that was read in this transaction and may be changed; see `Records.rewrite`."""
    entity = before.entity
    sight = records.sight(entity)
    states, machinery, asked = _split(records, sight.entity, raw)
    cleaned = clean(records.network, sight.entity, asked, before.full)
    problems = dict(cleaned.problems)
    problems |= dict.fromkeys((name for name in cleaned.values if name not in before.writable), _MAY_NOT_WRITE)
    values = {**before.full, **cleaned.values, **states, **machinery}
    values |= await computed.compute(records, sight.entity, values)
    changed = tuple(name for name, value in values.items() if not same(value, before.full.get(name)))
    problems |= _levels(records, sight.entity, values, before.full)
    draft = _Draft(sight, values, frozenset(changed))
    await _validate(records, draft, changed, problems, own=False)
    if not changed:
        return Change(before, before, ())
    if not await records.holds(entity, records.rights.row(entity, "update"), values):
        raise RefusedError(_OUT_OF_REACH)
    await _write(records, draft, before, changed)
    return Change(before, await see(records, sight, values), changed)


async def _write(records: Records, draft: _Draft, before: Record, changed: tuple[str, ...]) -> None:
    values = draft.values
    if "sponsor" in changed:
        await tree.move(records, draft.entity.name, before.full, values)
    values["updated_at"] = records.context.now
    values["version"] = before.version + 1
    if records.actor.kind != "system":
        values["last_activity_at"] = records.context.now
    written = dict.fromkeys((*changed, "updated_at", "version", "last_activity_at", *_own_path(draft)))
    stored = _stored(draft.sight, values, written)
    places = ", ".join(f"{quoted(name)} = ?" for name in stored)
    text = f'UPDATE {draft.sight.table.quoted} SET {places} WHERE "id" = ? AND "version" = ?'  # noqa: S608 (names only)
    if not await records.tx.run(text, (*stored.values(), before.id, before.version)):
        raise ConflictError(before.version)
    records.loader.forget()


def _own_path(draft: _Draft) -> Iterable[str]:
    return ("_path",) if "_path" in draft.values else ()


async def delete(records: Records, entity: str, record_id: str, version: int | None) -> Record:
    """Delete a record; see `Records.delete`."""
    sight = records.sight(entity)
    before = await records.get(entity, record_id)
    if "delete" not in before.may:
        raise RefusedError(say("You may not delete this record."))
    if version is not None and version != before.version:
        raise ConflictError(before.version)
    await _refuse_referred(records, entity, record_id)
    text = f'DELETE FROM {sight.table.quoted} WHERE "id" = ? AND "version" = ?'  # noqa: S608 (a table's name)
    if not await records.tx.run(text, (record_id, before.version)):
        raise ConflictError(before.version)
    records.loader.forget()
    return before


async def _refuse_referred(records: Records, entity: str, record_id: str) -> None:
    """Refuse to delete what other records refer to with `on_delete: restrict`."""
    for other, definition in records.network.entities.items():
        columns = [name for name, field in definition.fields.items() if _restricts(field, entity)]
        columns += ["owner"] if definition.owner and entity == "member" else []
        table = records.published.tables[other]
        for name in columns:
            text = f'SELECT 1 FROM {table.quoted} WHERE {quoted(name)} = ? AND "id" <> ? LIMIT 1'  # noqa: S608 (names)
            if await records.tx.row(text, (record_id, record_id)):
                raise RefusedError(say("Other records refer to this one: it cannot be deleted."))


def _restricts(field: Field, entity: str) -> bool:
    return field.type == "reference" and field.to == entity and field.on_delete == "restrict"


def _levels(
    records: Records, entity: Entity, values: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Message]:
    """Return a problem when a member would get a level that the actor neither has nor administers."""
    if entity.name != tree.MEMBER or records.access.administers(records.actor):
        return {}
    given = set(values.get("levels") or ()) - set(before.get("levels") or ())
    if given <= set(records.actor.levels):
        return {}
    return {"levels": say("You may only give levels that you have yourself.")}


async def _validate(
    records: Records, draft: _Draft, names: Collection[str], problems: Mapping[str, Message], *, own: bool
) -> None:
    """Raise `InvalidError` with everything that is wrong with the values of `names`, `problems` included."""
    expressions = [
        value.expression
        for name in names
        if (field := draft.entity.fields.get(name)) is not None
        for value in (field.min, field.max)
        if value is not None and value.expression is not None
    ]
    scope = {**await records.names_for(*expressions), "record": draft.values}
    found = check(records.network, draft.entity, draft.values, names, scope, records.context)
    found |= await _dangling(records, draft, names)
    found |= await _taken(records, draft, names, own=own)
    if found or problems:
        raise InvalidError({**found, **problems})


async def _dangling(records: Records, draft: _Draft, names: Collection[str]) -> dict[str, Message]:
    """Return a problem for each reference to what does not exist or what the actor may not read."""
    problems: dict[str, Message] = {}
    for name in names:
        field = all_fields(draft.entity).get(name)
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


async def _taken(records: Records, draft: _Draft, names: Collection[str], *, own: bool) -> dict[str, Message]:
    """Return a problem for each unique field whose value another record has (whosever it is)."""
    problems: dict[str, Message] = {}
    table = draft.sight.table
    for name, field in draft.entity.fields.items():
        if field.unique is None or not ({name, *field.unique} & set(names) or own):
            continue
        key = (name, *field.unique)
        stored = [table.encode(part, draft.values.get(part)) for part in key]
        if None in stored:
            continue
        where = " AND ".join(map(_names if _signs_in(draft.entity, name) else _is, key))
        text = f'SELECT 1 FROM {table.quoted} WHERE {where} AND "id" <> ? LIMIT 1'  # noqa: S608 (names only)
        if await records.tx.row(text, (*stored, draft.values["id"])) is not None:
            problems[name] = TAKEN
    return problems


def _signs_in(entity: Entity, field: str) -> bool:
    """Whether the field is what members sign in with, where capital letters make no other person."""
    return entity.name == tree.MEMBER and field == "email"


def _is(column: str) -> str:
    return f"{quoted(column)} = ?"


def _names(column: str) -> str:
    return f"lower({quoted(column)}) = lower(?)"


async def _insert(records: Records, draft: _Draft) -> None:
    stored = _stored(draft.sight, draft.values, draft.values)
    text = f"INSERT INTO {draft.sight.table.quoted} ({listed(stored)}) VALUES ({', '.join('?' * len(stored))})"  # noqa: S608 (names of the definitions only)
    await records.tx.run(text, tuple(stored.values()))
    records.loader.forget()


def _stored(sight: Sight, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the stored form of the named values, with the columns that are searched."""
    table = sight.table
    stored = {name: table.encode(name, values[name]) for name in names}
    columns = table.shape.columns
    stored |= {f"{FOLD}{name}": fold(values[name]) for name in tuple(stored) if f"{FOLD}{name}" in columns}
    return stored


async def see(records: Records, sight: Sight, full: Mapping[str, Any]) -> Record:
    """Return a record in hand as the actor sees it now."""
    if not await records.holds(sight.entity.name, sight.known, full):
        return sight.out_of_sight(full)
    verdicts = [await records.holds(sight.entity.name, rule, full) for rule in sight.judged]
    return sight.record(full, verdicts)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same; references are, when their ids are."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and "id" in one and "id" in other:
        return bool(one["id"] == other["id"])
    return bool(one == other)
