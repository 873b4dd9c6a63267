"""Lists, counts and counts by state, as one statement each."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from definitions.charts.process import leaves_of
from definitions.expr import SqlTemplate
from models.columns import TEXT, Codec, codec, state_codec
from models.ddl import quoted
from models.entitling import entitled
from models.errors import InvalidError
from models.filters import Column
from models.message import say
from models.query import LIMIT, Query
from models.record import Page
from models.sight import Sight
from models.statement import Statement
from models.values import MAX_INTEGER
from models.visible import ROOT

if TYPE_CHECKING:
    from models.records import Records


_GONE = say("This page of the list is gone; begin again.")


@dataclass(frozen=True, slots=True)
class _Order:
    """How a list is sorted: by a visible value, then by id, both the same way; nulls come last."""

    name: str
    value: SqlTemplate
    descending: bool
    nullable: bool
    codec: Codec


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a page ended: the stored value that it was sorted by, and the id."""

    value: Any
    id: str


async def page(records: Records, entity: str, query: Query) -> Page:
    """Return one page of a list: one statement."""
    sight = records.sight(entity)
    order = _order(records, sight, query.sort)
    limit = max(1, min(query.limit, LIMIT))
    selection = sight.select(query.columns)
    statement = Statement(await records.names_for(query.where), records.context)
    statement.add("SELECT ", selection.template, ", ", order.value)
    _from(statement, records, sight, query)
    if query.cursor is not None:
        statement.add(" AND ")
        _after(statement, order, _read_cursor(query.cursor, order))
    _order_by(statement, order)
    statement.add(" LIMIT ").value(limit + 1)
    if query.offset > 0:
        statement.add(" OFFSET ").value(query.offset)
    rows = await records.tx.rows(statement.text, statement.values)
    found = tuple(await entitled(records, sight.from_rows(rows[:limit], selection)))
    more = len(rows) > limit
    return Page(found, _cursor(order, rows[limit - 1][-1], found[-1].id) if more else None)


async def count(records: Records, entity: str, query: Query, most: int | None = None) -> int:
    """Return how many records the whole list has; with `most` counting ends at one more than that."""
    statement = Statement(await records.names_for(query.where), records.context)
    statement.add("SELECT count(*)" if most is None else "SELECT count(*) FROM (SELECT 1")
    _from(statement, records, records.sight(entity), query)
    if most is not None:
        statement.add(" LIMIT ").value(most + 1).add(') AS "first"')
    row = await records.tx.row(statement.text, statement.values)
    return 0 if row is None else int(row[0])


async def group_count(records: Records, entity: str, process: str, query: Query) -> Mapping[str, int]:
    """Return how many records of the list are in each innermost state that the actor sees.

    A record that is in several side by side counts in each of them.
    """
    sight = records.sight(entity)
    state = sight.visible.value(entity, ROOT, process)
    statement = Statement(await records.names_for(query.where), records.context).add("SELECT ", state, ", count(*)")
    _from(statement, records, sight, query)
    statement.add(" GROUP BY 1")
    rows = await records.tx.rows(statement.text, statement.values)
    held = state_codec(records.network.processes[process])
    found: Counter[str] = Counter()
    for stored, number in rows:
        found.update(dict.fromkeys(leaves_of(held.decoded(stored)), number))
    return dict(found)


def add_numbered(statement: Statement, records: Records, entity: str, query: Query, where: SqlTemplate) -> Statement:
    """Write a query of the ids of a list with their places in its order, from 1: columns `id` and `place`.

    The statement's names are those that `where` reads. `InvalidError` where a list cannot be sorted like that.
    """
    sight = records.sight(entity)
    order = _order(records, sight, query.sort)
    statement.add(f'SELECT {quoted(ROOT)}."id", row_number() OVER (')
    _order_by(statement, order)
    statement.add(') AS "place"')
    _from(statement, records, sight, query)
    statement.add(" AND ", where)
    _order_by(statement, order)
    return statement.add(" LIMIT ").value(query.limit)


def _from(statement: Statement, records: Records, sight: Sight, query: Query) -> None:
    """Write FROM and WHERE: the row rule first, then what the query asks of the values that the actor sees."""
    entity = sight.entity.name
    finder = records.finder(entity)
    statement.add(f" FROM {sight.table.quoted} AS {quoted(ROOT)} WHERE ", sight.read)
    if query.where is not None:
        statement.add(" AND ", sight.where(query.where))
    for wanted in query.filters:
        statement.add(" AND ", finder.condition(entity, wanted))
    for condition in finder.search(entity, query.q):
        statement.add(" AND ", condition)


def _order(records: Records, sight: Sight, sort: str) -> _Order:
    name = sort.removeprefix("-")
    column: Column | None = records.finder(sight.entity.name).column(sight.entity.name, name)
    if column is None:
        raise InvalidError({name: say("A list cannot be sorted by this.")})
    value = column.folded or column.value
    shape = sight.table.shape.columns.get(name)
    nullable = shape is None or shape.null or sight.hides(name)
    stored = TEXT if column.folded else codec(column.field)
    return _Order(name, value, sort.startswith("-"), nullable, stored.on(records.tx.dialect))


def _order_by(statement: Statement, order: _Order) -> None:
    way = " DESC" if order.descending else ""
    last = " NULLS LAST" if order.nullable else ""
    statement.add(" ORDER BY ", order.value, f'{way}{last}, {quoted(ROOT)}."id"{way}')


def _after(statement: Statement, order: _Order, mark: _Mark) -> None:
    """Write the condition that a row comes after the mark."""
    sign = "<" if order.descending else ">"
    identity = f'{quoted(ROOT)}."id"'
    if mark.value is None:
        statement.add("(", order.value, f" IS NULL AND {identity} {sign} ").value(mark.id).add(")")
        return
    if not order.nullable:
        statement.add("(", order.value, f", {identity}) {sign} (").value(mark.value, mark.id).add(")")
        return
    statement.add("(", order.value, f" {sign} ").value(mark.value)
    statement.add(" OR (", order.value, " = ").value(mark.value).add(f" AND {identity} {sign} ").value(mark.id)
    statement.add(") OR ", order.value, " IS NULL)")


def _cursor(order: _Order, value: Any, identifier: str) -> str:
    text = json.dumps([order.name, order.descending, value, identifier], separators=(",", ":"), default=str)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, order: _Order) -> _Mark:
    """Return the mark of a cursor. `InvalidError` when it is none, or one of a list that is sorted otherwise."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name, descending, value, identifier = json.loads(base64.urlsafe_b64decode(padded.encode()))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        name = descending = value = identifier = None
    known = (name, descending) == (order.name, order.descending) and isinstance(identifier, str)
    if not known or not _storable(value) or not _storable(identifier):
        raise InvalidError({"cursor": _GONE})
    try:
        return _Mark(_of_column(order.codec, value), identifier)
    except (ValueError, TypeError, ArithmeticError):
        raise InvalidError({"cursor": _GONE}) from None


def _storable(value: Any) -> bool:
    """Whether a value of a cursor, which anybody can write, is one that a database takes."""
    if isinstance(value, str):
        return "\0" not in value and value.encode("utf-8", "ignore").decode() == value
    return value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) <= MAX_INTEGER)


def _of_column(column: Codec, value: Any) -> Any:
    """Return a value as the column has them, or raise: `NUMERIC`, for one, stands in a cursor as text."""
    if value is not None and column.declared.startswith("TEXT") and not isinstance(value, str):
        raise TypeError(value)
    if value is not None and column.declared == "BIGINT" and not isinstance(value, int):
        raise TypeError(value)
    return column.encoded(column.decoded(value))
