"""Creating, changing and deleting records, with their history and what follows; each over a unit of work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.changes import see
from models.errors import RequestError
from models.record import Change, LineChange, Record
from workflows import automatic, bulk, history
from workflows.history import stored, told
from workflows.triggers import Occurrence, awaited, keep_written, occur, settle_all
from workflows.unit import Unit

__all__ = ["create", "create_many", "create_traced", "delete", "told", "update", "update_traced"]


async def create(unit: Unit, entity: str, values: Mapping[str, Any]) -> Record:
    """Create a record; see `commands.create`."""
    record, _ = await create_traced(unit, entity, values)
    return record


async def create_traced(unit: Unit, entity: str, values: Mapping[str, Any]) -> tuple[Record, str]:
    """Create a record, and return the id of its history row with it."""
    record = await unit.records.create(entity, values)
    after = stored(unit, entity, record.full, _given(record.full))
    row = await history.keep(unit, "created", entity, record.id, after=after)
    moved = await occur(unit, Occurrence("created", record, row)) is not None
    if any(name in values for name in unit.network.lines(entity)):
        moved = True  # what its lines started may have changed it
        for line in await unit.records.parts(entity, record.id):
            await _tell(unit, line)
    return (await _as_it_is(unit, record) if moved else record), row


async def _as_it_is(unit: Unit, record: Record) -> Record:
    """Return a record after what followed from its change, as the actor sees it."""
    now = await unit.records.system.find(record.entity, record.id)
    return await see(unit.records, unit.records.sight(record.entity), now.full)


async def create_many(
    unit: Unit, entity: str, given: Sequence[Mapping[str, Any] | RequestError]
) -> list[Record | RequestError]:
    """Create records, each for itself; what one is refused with stands at its place (one that is given stays there).

    It takes few statements for all of them, unless something waits for new records: then each is followed by what
    it starts, behind a savepoint.
    """
    lines = unit.network.lines(entity).keys()
    if awaited(unit, entity) or any(not lines.isdisjoint(each) for each in given if isinstance(each, Mapping)):

        async def one(values: Mapping[str, Any] | RequestError) -> Record:
            if isinstance(values, RequestError):
                raise values
            return await create(unit, entity, values)

        return await bulk.each(unit, given, one)
    found = await unit.records.create_many(entity, given)
    created = [each for each in found if isinstance(each, Record)]
    rows = await history.keep_created(unit, entity, [each.full for each in created], _given)
    await settle_all(unit, created, rows)
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
    lines = await _told_of(unit, change.lines)
    if not told(change.fields) and not lines:
        return change, None
    row = await keep_written(unit, change, lines)
    if automatic.awaits(unit, entity):
        change = replace(change, after=await _as_it_is(unit, change.after))
    return change, row


async def _told_of(unit: Unit, lines: Sequence[LineChange]) -> list[str]:
    """Tell of lines that were written along with their parent; return the history rows."""
    return [row for line in lines if (row := await _tell(unit, line)) is not None]


async def _tell(unit: Unit, line: LineChange) -> str | None:
    """Tell of a line that was written along with its parent; return its history row, None where nothing is told."""
    deeper = await _told_of(unit, line.lines)
    if line.after is None:
        return None if line.before is None else await _gone(unit, line.before, along=True)
    if line.before is not None:
        change = Change(line.before, line.after, line.fields)
        return await keep_written(unit, change, deeper, along=True) if told(line.fields) or deeper else None
    after = stored(unit, line.after.entity, line.after.full, _given(line.after.full))
    row = await history.keep(unit, "created", line.after.entity, line.after.id, after=after)
    await occur(unit, Occurrence("created", line.after, row, along=True))
    return row


async def delete(unit: Unit, entity: str, record: str, version: int | None) -> None:
    """Delete a record and its lines; see `commands.delete`. Their history stays, their open tasks go."""
    lines = [line.removed() for line in await unit.records.parts(entity, record)]
    gone = await unit.records.delete(entity, record, version)
    await _told_of(unit, lines)
    await _gone(unit, gone)


async def _gone(unit: Unit, gone: Record, *, along: bool = False) -> str:
    entity, record = gone.entity, gone.id
    before = stored(unit, entity, gone.full, _given(gone.full))
    row = await history.keep(unit, "deleted", entity, record, before=before)
    await unit.tx.run('DELETE FROM "_task" WHERE "entity" = ? AND "record" = ? AND "done_at" IS NULL', [entity, record])
    await occur(unit, Occurrence("deleted", gone, row, gone.full, along=along))
    return row
