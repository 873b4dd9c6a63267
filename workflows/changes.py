"""Creating, changing and deleting records, with their history and what follows; each over a unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.errors import RequestError
from models.record import Change, Record
from workflows import bulk, history
from workflows.history import stored
from workflows.triggers import Occurrence, awaited, occur
from workflows.unit import Unit

_UNTOLD = frozenset({"id", "version", "created_at", "updated_at", "created_by", "last_activity_at"})


def told(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fields whose changes are history: those of the system are not."""
    return tuple(name for name in fields if name not in _UNTOLD and not name.startswith("_"))


async def create(unit: Unit, entity: str, values: Mapping[str, Any]) -> Record:
    """Create a record; see `commands.create`."""
    record, _ = await create_traced(unit, entity, values)
    return record


async def create_traced(unit: Unit, entity: str, values: Mapping[str, Any]) -> tuple[Record, str]:
    """Create a record, and return the id of its history row with it."""
    record = await unit.records.create(entity, values)
    after = stored(unit, entity, record.full, _given(record.full))
    row = await history.keep(unit, "created", entity, record.id, after=after)
    await occur(unit, Occurrence("created", record, row))
    return record, row


async def create_many(
    unit: Unit, entity: str, given: Sequence[Mapping[str, Any] | RequestError]
) -> list[Record | RequestError]:
    """Create records, each for itself; what one is refused with stands at its place (one that is given stays there).

    It takes few statements for all of them, unless something waits for new records: then each is followed by what
    it starts, behind a savepoint.
    """
    if awaited(unit, entity):

        async def one(values: Mapping[str, Any] | RequestError) -> Record:
            if isinstance(values, RequestError):
                raise values
            return await create(unit, entity, values)

        return await bulk.each(unit, given, one)
    found = await unit.records.create_many(entity, given)
    await history.keep_created(unit, entity, [each.full for each in found if isinstance(each, Record)], _given)
    return list(found)


def _given(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of a new record that are history: those that hold something."""
    return told(tuple([name for name, value in values.items() if value is not None]))


async def update(unit: Unit, entity: str, record: str, version: int | None, changes: Mapping[str, Any]) -> Change:
    """Change a record; see `commands.update`."""
    change, _ = await update_traced(unit, entity, record, version, changes)
    return change


async def update_traced(
    unit: Unit, entity: str, record: str, version: int | None, changes: Mapping[str, Any]
) -> tuple[Change, str | None]:
    """Change a record, and return the id of the history row with it: None when nothing differs and nothing is kept."""
    change = await unit.records.update(entity, record, version, changes)
    fields = told(change.fields)
    if not fields:
        return change, None
    row = await history.keep(
        unit,
        "updated",
        entity,
        record,
        before=stored(unit, entity, change.before.full, fields),
        after=stored(unit, entity, change.after.full, fields),
    )
    event = Occurrence("updated", change.after, row, change.before.full, frozenset(fields))
    await occur(unit, event)
    return change, row


async def delete(unit: Unit, entity: str, record: str, version: int | None) -> None:
    """Delete a record; see `commands.delete`. Its history stays, its open tasks go."""
    gone = await unit.records.delete(entity, record, version)
    before = stored(unit, entity, gone.full, _given(gone.full))
    row = await history.keep(unit, "deleted", entity, record, before=before)
    await unit.tx.run('DELETE FROM "_task" WHERE "entity" = ? AND "record" = ? AND "done_at" IS NULL', [entity, record])
    await occur(unit, Occurrence("deleted", gone, row, gone.full))
