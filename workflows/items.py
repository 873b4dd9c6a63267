"""What the loops of runs go through: kept when a loop begins, in the store and not in memory, and gone with its end."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from definitions.duration import Duration
from definitions.expr import Names, SqlTemplate
from models.lists import add_numbered
from models.query import Query
from models.statement import Statement
from models.system import ITEM
from models.tx import Tx
from workflows.sealing import SEALED, opened, sealed
from workflows.stored import dump
from workflows.unit import Unit

_INSERT = ITEM.insert()
PURPOSE = "item"
"""For what the values of lists are sealed."""
_DELETE = 'DELETE FROM "_item" WHERE "id" >= ? AND "id" < ?'


@dataclass(frozen=True, slots=True)
class Sought:
    """The records that a loop goes through: those of `entity` for which `where` holds, whose names are `names`.

    `called` is what the items call the entity.
    """

    entity: str
    called: str
    query: Query
    where: SqlTemplate
    names: Names


async def keep_records(unit: Unit, prefix: str, sought: Sought) -> int:
    """Keep which records are found, in their order, and return how many: one statement, whatever their number."""
    await forget(unit.tx, prefix)
    statement = Statement(sought.names, unit.context)
    statement.add('INSERT INTO "_item" ("id", "entity", "value") SELECT ').value(prefix)
    statement.add(' || CAST("found"."place" AS TEXT), ').value(sought.called).add(', "found"."id" FROM (')
    add_numbered(statement, unit.records.system, sought.entity, sought.query, sought.where).add(') AS "found"')
    return await unit.tx.run(statement.text, statement.values)


async def keep_values(unit: Unit, prefix: str, entity: str | None, values: Sequence[Any]) -> int:
    """Keep the values of a list, or which records they are, and return how many."""
    await forget(unit.tx, prefix)
    await unit.tx.run_many(_INSERT, _rows(unit, prefix, entity, values))
    return len(values)


def _rows(unit: Unit, prefix: str, entity: str | None, values: Sequence[Any]) -> Iterator[tuple[str, str | None, str]]:
    for place, value in enumerate(values, 1):
        kept = str(value["id"]) if entity is not None else sealed(unit, dump(_keep(value)), PURPOSE)
        yield f"{prefix}{place}", entity, kept


async def take(tx: Tx, prefix: str, place: int) -> Mapping[str, Any]:
    """Return the item at a place (from 1) in the form that a run's cursor keeps; see `value_of`."""
    row = await tx.row('SELECT "entity", "value" FROM "_item" WHERE "id" = ?', [f"{prefix}{place}"])
    if row is None:
        return {"value": None}
    if row[0] is not None:
        return {"entity": row[0], "id": row[1]}
    return {"sealed": row[1]} if row[1].startswith(SEALED) else {"value": json.loads(row[1])}


def value_of(unit: Unit, item: Mapping[str, Any]) -> Any:
    """Return the value of an item that is no record."""
    return _read(json.loads(opened(unit, item["sealed"], PURPOSE)) if "sealed" in item else item.get("value"))


async def forget(tx: Tx, prefix: str) -> None:
    """Forget the items whose keys begin with `prefix`, which ends with a colon."""
    await forget_all(tx, (prefix,))


async def forget_all(tx: Tx, prefixes: Iterable[str]) -> None:
    """Do the same for several of them."""
    await tx.run_many(_DELETE, [(prefix, f"{prefix[:-1]};") for prefix in prefixes])


def _keep(value: Any) -> Any:
    """Return a value as JSON that says what it was."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return {"decimal": str(value)}
        case datetime():
            return {"datetime": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case Duration():
            return {"duration": [value.months, value.exact.total_seconds(), value.working_hours, value.working_days]}
        case Mapping():
            return {"map": [[key, _keep(each)] for key, each in value.items()]}
        case list() | tuple():
            return [_keep(each) for each in value]
        case _:
            return str(value)


def _read(kept: Any) -> Any:
    match kept:
        case list():
            return tuple(_read(each) for each in kept)
        case {"decimal": text}:
            return Decimal(text)
        case {"datetime": text}:
            return datetime.fromisoformat(text)
        case {"date": text}:
            return date.fromisoformat(text)
        case {"duration": [months, seconds, hours, days]}:
            return Duration(months, timedelta(seconds=seconds), hours, days)
        case {"map": pairs}:
            return {key: _read(each) for key, each in pairs}
        case _:
            return kept
