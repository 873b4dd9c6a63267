"""Creating and changing records under an actor's rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from definitions.charts.steps import fitted
from definitions.spec.entity import Entity
from definitions.spec.process import Configuration
from models import computed, defaults, drafts, lost_rights, tree, unique, uploads
from models.clauses import Deed
from models.ddl import listed, quoted
from models.drafts import MAY_NOT_WRITE, Draft
from models.entitling import entitled
from models.errors import ConflictError, InvalidError, NotFoundError, RefusedError, RequestError
from models.message import Message, say
from models.record import Change, Record
from models.refusals import refusal
from models.sight import Sight
from models.validation import NO_SUCH_RECORD

if TYPE_CHECKING:
    from models.records import Records

_OUT_OF_REACH = say("You may not do this: the record would not be within your reach.")
_STAYS = say("A line stays where it is: add another one there.")
_MACHINERY = frozenset({"created_at", "updated_at", "last_activity_at", "created_by"})


NOTHING: Mapping[str, Any] = MappingProxyType({})


async def create(
    records: Records, entity: str, raw: Mapping[str, Any], unsettled: frozenset[str] = frozenset()
) -> Record:
    """Insert a record; see `Records.create`. What depends on values that are `unsettled` is not asked for yet."""
    sight = _creating(records, entity)
    draft, problems, refused = await _drafted(records, sight, raw, unsettled=unsettled)
    problems |= await drafts.taken(records, draft, (), own=True)
    if problems or refused:
        raise InvalidError({**problems, **refused})
    await tree.place(records, entity, draft.values)
    await insert(records, [draft])
    return await see(records, sight, draft.values)


async def create_many(
    records: Records, entity: str, given: Sequence[Mapping[str, Any] | RequestError]
) -> list[Record | RequestError]:
    """Insert records, each for itself; see `Records.create_many`."""
    sight = _creating(records, entity)
    if entity == tree.MEMBER:  # each may stand below one before it
        return [each if isinstance(each, RequestError) else await _created(records, entity, each) for each in given]
    found = await fit(records, sight, given)
    await insert(records, [each for each in found if isinstance(each, Draft)])
    seen = iter(await see_all(records, sight, [each.values for each in found if isinstance(each, Draft)]))
    return [each if isinstance(each, RequestError) else next(seen) for each in found]


async def fit(
    records: Records, sight: Sight, given: Sequence[Mapping[str, Any] | RequestError], deed: Deed = "create"
) -> list[Draft | RequestError]:
    """Return new records as they can be inserted, or what each is refused with; none has the unique value of another.

    `begin`: they are lines of what is new as well.
    """
    attempts = [
        each if isinstance(each, RequestError) else await _attempted(records, sight, each, deed) for each in given
    ]
    known = unique.Known(records, sight, [each[0].values for each in attempts if not isinstance(each, RequestError)])
    found: list[Draft | RequestError] = []
    for each in attempts:
        if isinstance(each, RequestError):
            found.append(each)
            continue
        draft, problems, refused = each
        wrong = {**problems, **await known.taken(draft.values), **refused}
        if not wrong:
            known.add(draft.values)
        found.append(InvalidError(wrong) if wrong else draft)
    return found


async def _created(records: Records, entity: str, raw: Mapping[str, Any]) -> Record | RequestError:
    try:
        return await create(records, entity, raw)
    except RequestError as error:  # nothing was written yet
        return error


_Drafted = tuple[Draft, dict[str, Message], dict[str, Message]]
"""A draft, what its values lack, and what may not be written."""


async def _attempted(records: Records, sight: Sight, raw: Mapping[str, Any], deed: Deed) -> _Drafted | RequestError:
    try:
        return await _drafted(records, sight, raw, deed)
    except RequestError as error:
        return error


def _creating(records: Records, entity: str) -> Sight:
    """Return how the actor sees an entity of which it may create some records."""
    sight = records.sight(entity)
    if not records.access.may(records.actor, "create", entity):
        raise (
            NotFoundError
            if not records.access.may(records.actor, "read", entity)
            else RefusedError(say("You may not create this."))
        )
    return sight


async def _drafted(
    records: Records,
    sight: Sight,
    raw: Mapping[str, Any],
    deed: Deed = "create",
    unsettled: frozenset[str] = frozenset(),
) -> _Drafted:
    """Return a new record with all its values; whether a unique one is taken is another question."""
    entity = sight.entity.name
    states, machinery, asked = _split(records, sight.entity, raw)
    cleaned = await uploads.settle(records, sight.entity, sight.declared.clean(asked, {}), {})
    values = await _new_values(records, sight, cleaned.values, {**machinery, **states})
    if deed == "create":
        await _parent_is_there(records, sight, cleaned.values)
    if not await records.holds(entity, records.rights.row(entity, deed), values):
        raise RefusedError(_OUT_OF_REACH)
    refused = {**cleaned.problems, **await drafts.unwritable(records, sight, cleaned.values, values, deed)}
    refused |= drafts.levels(records, sight.entity, values, {})
    draft = Draft(sight, values, frozenset(name for name in cleaned.values if deed == "create" or name != "parent"))
    checked = {name for name, field in sight.fields.items() if field.compute is None}
    return draft, await drafts.wrong(records, draft, checked, unsettled), refused


async def _parent_is_there(records: Records, sight: Sight, given: Mapping[str, Any]) -> None:
    """Refuse a line that says not of what it is a line, or names what the actor does not see."""
    if sight.entity.parent is None:
        return
    parent = given.get("parent")
    if parent is None:
        raise InvalidError({"parent": say("This is needed.")})
    try:
        await records.find(sight.entity.parent, parent["id"])
    except NotFoundError:
        raise InvalidError({"parent": NO_SUCH_RECORD}) from None


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
    values |= await defaults.defaults(records, sight, given, values)
    values |= given
    values |= await computed.compute(records, entity, values)
    return values


def _configuration(records: Records, process: str, given: Any) -> Configuration | None:
    """Return what a record holds that is in the states given, None where there is no such state.

    Of a state with some inside it is the initial one, and of regions that are not named where each begins.
    """
    defined = records.network.processes[process]
    if isinstance(given, str) and not defined.parallel and given in defined.states and given not in defined.below:
        return given
    names = (given,) if isinstance(given, str) else tuple(given or ())
    known = names and all(isinstance(name, str) and name in defined.states for name in names)
    return defined.configured(fitted(defined.chart, names)) if known else None


def _split(
    records: Records, entity: Entity, raw: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the states, the system fields and the fields that were given; the first two are for the system alone."""
    system = records.actor.kind == "system"
    states = {name: _configuration(records, name, raw[name]) for name in entity.processes if name in raw}
    machinery = {name: raw[name] for name in _MACHINERY if name in raw}
    asked = {name: value for name, value in raw.items() if name not in states and name not in machinery}
    if not system and (states or machinery):
        raise InvalidError(dict.fromkeys([*states, *machinery], MAY_NOT_WRITE))
    unknown = {name: say("This is not one of the options.") for name, state in states.items() if state is None}
    if unknown:
        raise InvalidError(unknown)
    return states, machinery, asked


async def update(records: Records, entity: str, record_id: str, version: int | None, raw: Mapping[str, Any]) -> Change:
    """Change a record; see `Records.update`."""
    return await rewrite(records, await changeable(records, entity, record_id, version), raw)


async def changeable(records: Records, entity: str, record_id: str, version: int | None) -> Record:
    """Return a record that the actor may change, as it was read at `version`."""
    before = await records.find(entity, record_id)
    if "update" not in before.may:
        raise refusal(records.rights, entity, "update")
    if version is not None and version != before.version:
        raise ConflictError(before.version)
    return before


async def rewrite(
    records: Records,
    before: Record,
    raw: Mapping[str, Any],
    *,
    also: Mapping[str, Any] = NOTHING,
    touched: bool = False,
) -> Change:
    """Change a record that was read in this transaction and may be changed; see `Records.rewrite`.

    `also` holds values that no rule is asked about; one that is `touched` is written even where nothing differs.
    """
    entity = before.entity
    sight = records.sight(entity)
    states, machinery, asked = _split(records, sight.entity, raw)
    cleaned = sight.declared.clean(asked, before.full)
    cleaned = await uploads.settle(records, sight.entity, cleaned, before.full)
    problems = dict(cleaned.problems)
    given = _without_parent(sight, cleaned.values, before, problems)
    problems |= dict.fromkeys((name for name in given if name not in before.writable), MAY_NOT_WRITE)
    values = {**before.full, **given, **states, **machinery, **also}
    values |= await computed.compute(records, sight.entity, values)
    changed = tuple([name for name, value in values.items() if not same(value, before.full.get(name))])
    problems |= drafts.levels(records, sight.entity, values, before.full)
    draft = Draft(sight, values, frozenset(changed))
    found = await drafts.wrong(records, draft, changed)
    found |= await drafts.taken(records, draft, changed, own=False)
    if found or problems:
        raise InvalidError({**found, **problems})
    if not changed and not touched:
        return Change(before, before, ())
    if not await records.holds(entity, records.rights.row(entity, "update"), values):
        raise RefusedError(_OUT_OF_REACH)
    await _write(records, draft, before, changed)
    return Change(before, await see(records, sight, values), changed)


def _without_parent(
    sight: Sight, given: Mapping[str, Any], before: Record, problems: dict[str, Message]
) -> Mapping[str, Any]:
    """Return what was given without the parent of a line, which may be said again and not changed."""
    if sight.entity.parent is None or "parent" not in given:
        return given
    if not same(given["parent"], before.full["parent"]):
        problems["parent"] = _STAYS
    return {name: value for name, value in given.items() if name != "parent"}


async def _write(records: Records, draft: Draft, before: Record, changed: tuple[str, ...]) -> None:
    values = draft.values
    if "sponsor" in changed:
        await tree.move(records, draft.entity.name, before.full, values)
    values["updated_at"] = records.context.now
    values["version"] = before.version + 1
    if records.actor.kind != "system":
        values["last_activity_at"] = records.context.now
    written = dict.fromkeys((*changed, "updated_at", "version", "last_activity_at", *_own_path(draft)))
    await overwrite(records, draft.sight, values, tuple(written), before.version)
    if draft.entity.name == tree.MEMBER:
        await lost_rights.settle(records.tx, before.full, values)


async def overwrite(
    records: Records, sight: Sight, values: Mapping[str, Any], names: Iterable[str], version: int
) -> None:
    """Write some columns of the record that stands at a version; `ConflictError` when it does not."""
    stored = stored_columns(sight, values, names)
    places = ", ".join(f"{quoted(name)} = ?" for name in stored)
    text = f'UPDATE {sight.table.quoted} SET {places} WHERE "id" = ? AND "version" = ?'  # noqa: S608 (names only)
    await records.tx.put(text, (*stored.values(), values["id"], version), ConflictError(version))
    records.loader.forget()


def _own_path(draft: Draft) -> Iterable[str]:
    return ("_path",) if "_path" in draft.values else ()


async def insert(records: Records, fresh: Sequence[Draft]) -> None:
    """Insert what was found fit, rows of the same columns in one statement."""
    rows: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for draft in fresh:
        stored = stored_columns(draft.sight, draft.values, draft.values)
        rows.setdefault(tuple(stored), []).append(tuple(stored.values()))
    for names, values in rows.items():
        table = fresh[0].sight.table.quoted
        text = f"INSERT INTO {table} ({listed(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 (names of the definitions only)
        if len(values) == 1:
            await records.tx.put(text, values[0])
        else:
            await records.tx.run_many(text, values)
    records.loader.forget()


def stored_columns(sight: Sight, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the stored form of the named values, with the columns that are searched."""
    return sight.table.stored_row(values, names)


async def see(records: Records, sight: Sight, full: Mapping[str, Any]) -> Record:
    """Return a record in hand as the actor sees it now."""
    return (await see_all(records, sight, [full]))[0]


async def see_all(records: Records, sight: Sight, full: Iterable[Mapping[str, Any]]) -> list[Record]:
    """Return records in hand as the actor sees them now."""
    return await entitled(records, [await _judged(records, sight, each) for each in full])


async def _judged(records: Records, sight: Sight, full: Mapping[str, Any]) -> Record:
    if not await records.holds(sight.entity.name, sight.known, full):
        return sight.out_of_sight(full)
    verdicts = [await records.holds(sight.entity.name, rule, full) for rule in sight.judged]
    return sight.record(full, verdicts)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same; references are, when their ids are."""
    if one is other:
        return True
    if isinstance(one, Mapping) and isinstance(other, Mapping) and "id" in one and "id" in other:
        return bool(one["id"] == other["id"])
    return bool(one == other)
