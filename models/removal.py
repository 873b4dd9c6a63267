"""Deleting records under an actor's rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from definitions.spec.entity import Field
from definitions.spec.network import Network
from models.ddl import quoted
from models.errors import ConflictError, RefusedError
from models.message import say
from models.record import Record
from models.refusals import refusal

if TYPE_CHECKING:
    from models.records import Records


async def delete(records: Records, entity: str, record_id: str, version: int | None) -> Record:
    """Delete a record; see `Records.delete`."""
    sight = records.sight(entity)
    before = await records.find(entity, record_id)
    if "delete" not in before.may:
        raise refusal(records.rights, entity, "delete")
    if version is not None and version != before.version:
        raise ConflictError(before.version)
    await _refuse_referred(records, entity, record_id)
    text = f'DELETE FROM {sight.table.quoted} WHERE "id" = ? AND "version" = ?'  # noqa: S608 (a table's name)
    if not await records.tx.run(text, (record_id, before.version)):
        raise ConflictError(before.version)
    records.loader.forget()
    return before


def below(network: Network, entity: str) -> Iterator[tuple[str, ...]]:
    """Yield the entity, and those whose records are its lines, however deep: each after all that are above it."""
    waiting: list[tuple[str, ...]] = [(entity,)]
    while waiting:
        way = waiting.pop()
        yield way
        waiting += [(*way, lines.name) for lines in network.lines(way[-1]).values()]


def _selected(records: Records, way: tuple[str, ...]) -> str:
    """Return the SELECT of the ids of a record (`?`), or of its lines of some depth."""
    if len(way) == 1:
        return "?"
    table = records.published.tables[way[-1]].quoted
    return f'SELECT "id" FROM {table} WHERE "parent" IN ({_selected(records, way[:-1])})'  # noqa: S608 (a table's name)


async def _refuse_referred(records: Records, entity: str, record_id: str) -> None:
    """Refuse to delete what other records refer to with `on_delete: restrict`, lines of it included.

    One statement asks for all kinds: how many are asked tells nobody of what kind those are.
    """
    uses = [use for way in below(records.network, entity) for use in _uses(records, way)]
    text = f"SELECT 1 WHERE {' OR '.join(uses)}"
    marks = text.count("?")
    if uses and await records.tx.row(text, (record_id,) * marks):
        raise RefusedError(say("Other records refer to this one: it cannot be deleted."))


def _uses(records: Records, way: tuple[str, ...]) -> Iterator[str]:
    """Yield a condition for each field that keeps what it refers to: a record, or its lines of some depth."""
    entity, going = way[-1], _selected(records, way)
    for other, definition in records.network.entities.items():
        columns = [name for name, field in definition.fields.items() if _restricts(field, entity)]
        columns += ["owner"] if definition.owner and entity == "member" else []
        table = records.published.tables[other]
        for name in columns:
            kept = f'{quoted(name)} IN ({going}) AND "id" NOT IN ({going})'
            yield f"EXISTS (SELECT 1 FROM {table.quoted} WHERE {kept})"  # noqa: S608 (names)


def _restricts(field: Field, entity: str) -> bool:
    return field.type == "reference" and field.to == entity and field.on_delete == "restrict"
