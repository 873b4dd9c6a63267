"""What happened to the lines of a record, for its timeline: of those that its reader sees, or would see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from definitions.spec.entity import Entity
from models.changes import see
from models.record import Record
from models.tx import Row
from workflows.field_changes import FieldChange, changes_of
from workflows.unit import Unit

Kind = Literal["created", "updated", "moved", "deleted", "undone"]
BATCH = 500
_ROWS = """SELECT "id", "entity", "record", "kind", "process", "transition", "before", "after" FROM "_history"
WHERE "entity" = ? AND "id" IN ({})"""
_GONE = """SELECT "record", "before" FROM "_history" WHERE "entity" = ? AND "kind" = 'deleted' AND "record" IN ({})"""


@dataclass(frozen=True, slots=True)
class LineEvent:
    """One thing that happened to a line: what it is called, and what changed of it; a move says which."""

    entity: str
    record: str
    kind: Kind
    title: str
    changes: tuple[FieldChange, ...] = ()
    process: str | None = None
    transition: str | None = None


def named(unit: Unit, entity: str, after: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the history rows of lines that a row of the record names, by the lines' entity."""
    lines = unit.network.lines(entity)
    return {each.name: after[name] for name, each in lines.items() if isinstance(after.get(name), list)}


async def lines_told(unit: Unit, wanted: Iterable[Mapping[str, Sequence[str]]]) -> dict[str, LineEvent]:
    """Return what the history rows tell of lines that the reader may see, by row."""
    ids: dict[str, list[str]] = {}
    for each in wanted:
        for entity, rows in each.items():
            ids.setdefault(entity, []).extend(map(str, rows))
    found: dict[str, LineEvent] = {}
    for entity, rows in ids.items():
        found |= await _told(unit, unit.network.entities[entity], rows)
    return found


async def _told(unit: Unit, entity: Entity, ids: Sequence[str]) -> dict[str, LineEvent]:
    rows = [row async for row in _in(unit, _ROWS, entity.name, ids)]
    seen = await _seen(unit, entity, {row[2] for row in rows})
    return {row[0]: _event(unit, seen[row[2]], row) for row in rows if row[2] in seen}


async def _in(unit: Unit, sql: str, entity: str, values: Iterable[str]) -> AsyncIterator[Row]:
    given = list(dict.fromkeys(values))
    for begin in range(0, len(given), BATCH):
        part = given[begin : begin + BATCH]
        for row in await unit.tx.rows(sql.format(", ".join("?" * len(part))), [entity, *part]):
            yield row


async def _seen(unit: Unit, entity: Entity, ids: Iterable[str]) -> dict[str, Record]:
    """Return those of the lines that the reader may see; one that is gone as it was."""
    table, sight = unit.published.tables[entity.name], unit.records.sight(entity.name)
    wanted = sorted(ids)
    full: dict[str, dict[str, Any]] = {}
    for begin in range(0, len(wanted), BATCH):
        part = wanted[begin : begin + BATCH]
        rows = await unit.tx.rows(f'{table.select} WHERE "id" IN ({", ".join("?" * len(part))})', part)
        full |= {values["id"]: values for values in map(table.decode_values, rows)}
    async for record, before in _in(unit, _GONE, entity.name, [each for each in wanted if each not in full]):
        kept = {name: form for name, form in json.loads(before or "{}").items() if name in table.shape.columns}
        full[record] = {**dict.fromkeys(sight.names), **table.kept(kept), "id": record, "version": 0}
    records = [await see(unit.records, sight, values) for values in full.values() if values.get("parent")]
    return {record.id: record for record in records if "read" in record.may}


def _event(unit: Unit, record: Record, row: Row) -> LineEvent:
    kind, process, transition, before, after = row[3:]
    changes = changes_of(unit, record.entity, record.hidden, before, after)
    return LineEvent(record.entity, record.id, kind, record.title, changes, process, transition)
