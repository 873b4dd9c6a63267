"""What happened to the lines of a record, for its timeline: of those that its reader sees, or would see."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from definitions.spec.entity import Entity
from models.changes import see
from models.record import Record
from models.tx import Row
from workflows.field_changes import FieldChange, changes_of
from workflows.unit import Unit

Kind = Literal[
    "created", "updated", "moved", "deleted", "undone", "asked", "granted", "refused", "withdrawn", "closed"
]  # fmt: skip
BATCH = 500
_ROWS = """SELECT "id", "entity", "record", "kind", "process", "transition", "before", "after" FROM "_history"
WHERE "id" IN ({})"""
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


async def lines_told(unit: Unit, entity: str, ids: Iterable[str]) -> dict[str, LineEvent]:
    """Return what history rows tell of lines of an entity's records that the reader may see, by row."""
    rows = [row async for row in _in(unit, _ROWS, ids)]
    found: dict[str, LineEvent] = {}
    for lines in unit.network.lines(entity).values():
        own = [row for row in rows if row[1] == lines.name]
        seen = await _seen(unit, lines, {row[2] for row in own})
        found |= {row[0]: _event(unit, seen[row[2]], row) for row in own if _is_seen(seen.get(row[2]), row[4])}
    return found


def _is_seen(line: Record | None, process: str | None) -> bool:
    """Whether the reader sees a line, and the process in which something happened."""
    return line is not None and process not in line.hidden


async def _in(unit: Unit, sql: str, values: Iterable[str], *first: str) -> AsyncIterator[Row]:
    given = list(dict.fromkeys(values))
    for begin in range(0, len(given), BATCH):
        part = given[begin : begin + BATCH]
        for row in await unit.tx.rows(sql.format(", ".join("?" * len(part))), [*first, *part]):
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
    async for record, before in _in(unit, _GONE, [each for each in wanted if each not in full], entity.name):
        kept = {name: form for name, form in json.loads(before or "{}").items() if name in table.shape.columns}
        full[record] = {**dict.fromkeys(sight.names), **table.kept(kept), "id": record, "version": 0}
    records = [await see(unit.records, sight, values) for values in full.values() if values.get("parent")]
    return {record.id: record for record in records if "read" in record.may}


def _event(unit: Unit, record: Record, row: Row) -> LineEvent:
    kind, process, transition, before, after = row[3:]
    changes = changes_of(unit, record.entity, record.hidden, before, after)
    return LineEvent(record.entity, record.id, kind, record.title, changes, process, transition)
