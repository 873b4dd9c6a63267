"""What the system keeps of itself (history, mails, runs, sign-ins), as who administers the network may read it.

A register has no column for what is secret. A row about a record is there for who may read that record, and in it what
the record hides is not there either.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from definitions.expr import SqlTemplate
from definitions.problems import NOWHERE
from definitions.spec.entity import Field, FieldType
from definitions.text import plain
from models.ddl import quoted
from models.errors import InvalidError, NotFoundError
from models.filters import Column as Compared
from models.message import say
from models.query import Query
from models.rules import ALWAYS, OPEN
from models.rules_sql import condition_sql
from models.sight import Sight
from models.statement import Statement, listing
from models.tx import Row
from models.visible import ROOT
from workflows import auditing
from workflows.stored import read_message, read_moment
from workflows.unit import Unit

ROW = "entry"
"""The alias of a register's table."""
MEMBER = "member"

Entry = dict[str, Any]
Finish = Callable[[Unit, list[Entry]], Awaitable[list[Entry]]]


@dataclass(frozen=True, slots=True)
class Kept:
    """A column of a register: `sql` over the alias `entry`, the column of its own name without it.

    `asked`: lists may be filtered and sorted by it; not by what is made of a row, or hidden row by row. `of` names the
    field of a member that it holds: where that field is hidden from the reader, it is empty. `long`: shown alone only.
    """

    name: str
    type: FieldType = "text"
    sql: str = ""
    asked: bool = True
    of: str = ""
    long: bool = False

    @property
    def source(self) -> str:
        """The SQL of the stored value."""
        return self.sql or f"{quoted(ROW)}.{quoted(self.name)}"


@dataclass(frozen=True, slots=True)
class Register:
    """A table of the system as it may be read: its key (the first column), and which record a row is about.

    `entity` and `record` are SQL; `entity` is empty where every row is about a member. `finish` takes out of rows
    what their reader may not see, and makes columns that no SQL makes.
    """

    name: str
    source: str
    columns: tuple[Kept, ...]
    order: str
    entity: str = ""
    record: str = ""
    own: str = ""
    process: str = ""
    finish: Finish | None = None

    @property
    def key(self) -> Kept:
        """The column by which a row is found."""
        return self.columns[0]

    def column(self, name: str) -> Kept | None:
        """Return a column that lists may be filtered and sorted by, None for any other."""
        return next((each for each in self.columns if each.name == name and each.asked), None)


async def page(unit: Unit, register: Register, query: Query) -> list[Entry]:
    """Return rows of the register that the reader may see; `InvalidError` for a filter that is none."""
    columns = [each for each in register.columns if not each.long]
    statement = await _select(unit, columns)
    _where(unit, statement, register, query)
    _order(statement, register, query.sort)
    statement.add(" LIMIT ").value(query.limit).add(" OFFSET ").value(query.offset)
    rows = await unit.tx.rows(statement.text, statement.values)
    return await _finished(unit, register, [_entry(columns, row) for row in rows])


async def count(unit: Unit, register: Register, query: Query) -> int:
    """Return how many rows the whole list has."""
    statement = Statement(await unit.records.rule_names(), unit.context).add("SELECT count(*)")
    _where(unit, statement, register, query)
    row = await unit.tx.row(statement.text, statement.values)
    return 0 if row is None else int(row[0])


async def entry(unit: Unit, register: Register, key: str) -> Entry:
    """Return one row with its long texts; `NotFoundError` when there is none that the reader may see."""
    statement = await _select(unit, register.columns)
    _where(unit, statement, register, Query())
    number = register.key.type == "integer"
    if number and not (key.isascii() and key.isdigit() and len(key) < 10):
        raise NotFoundError
    statement.add(f" AND {register.key.source} = ").value(int(key) if number else key)
    row = await unit.tx.row(statement.text, statement.values)
    if row is None:
        raise NotFoundError
    return (await _finished(unit, register, [_entry(register.columns, row)]))[0]


async def _finished(unit: Unit, register: Register, entries: list[Entry]) -> list[Entry]:
    if register.record and not register.entity:
        members = {entry["member"]: (entry["member"],) for entry in entries if entry["member"]}
        auditing.seen(unit, "register", MEMBER, members, register.name)
    return entries if register.finish is None else await register.finish(unit, entries)


async def _select(unit: Unit, columns: Sequence[Kept]) -> Statement:
    templates = listing(_value(unit, each) for each in columns)
    return Statement(await unit.records.rule_names(), unit.context).add("SELECT ", templates)


def _value(unit: Unit, column: Kept) -> SqlTemplate:
    hidden = column.of and unit.records.sight(MEMBER).hides(column.of)
    return SqlTemplate("NULL" if hidden else column.source)


def _entry(columns: Sequence[Kept], row: Row) -> Entry:
    return {each.name: _decoded(each, value) for each, value in zip(columns, row, strict=True)}


def _decoded(column: Kept, stored: Any) -> Any:
    if column.type == "datetime":
        return read_moment(stored)
    return read_message(stored) if column.name in {"error", "last_error"} else stored


# Which rows there are -----------------------------------------------------------------------------------------------


def _where(unit: Unit, statement: Statement, register: Register, query: Query) -> None:
    statement.add(f" FROM {register.source} WHERE (")
    if register.own:
        statement.add(f"{register.own} = ").value(unit.actor.id).add(" OR ")
    _readable(unit, statement, register)
    statement.add(")")
    for wanted in query.filters:
        column = register.column(wanted.field)
        if column is None:
            raise InvalidError({wanted.field: say("This field cannot be filtered.")})
        field = Field(column.name, column.type, plain(column.name), NOWHERE)
        compared = Compared(field, _value(unit, column))
        statement.add(" AND ", unit.records.sight(MEMBER).finder.compare(compared, wanted))


def _readable(unit: Unit, statement: Statement, register: Register) -> None:
    """Add the condition that the reader may read what a row is about."""
    if not register.record:
        statement.add("1 = 1")
    elif not register.entity:
        statement.add(f"{register.record} IS NULL OR ")
        among(statement, unit.records.sight(MEMBER), register.record)
    else:
        statement.add(f"{register.entity} IS NULL")
        for name in unit.network.entities:
            if unit.published.access.may(unit.actor, "read", name):
                sight = unit.records.sight(name)
                statement.add(f" OR ({register.entity} = ").value(name).add(" AND ")
                among(statement, sight, register.record)
                _no_hidden_process(unit, statement, sight, register)
                statement.add(")")


def among(statement: Statement, sight: Sight, record: str) -> None:
    """Add that the record may be read; who may read all of its kind may read of those too that are deleted.

    Whose those were is not known any more: as long as one member closed the own data to the leader, they are closed.
    """
    if sight.known == ALWAYS:
        statement.add("1 = 1")
        return
    if sight.known == OPEN:
        statement.add('NOT EXISTS (SELECT 1 FROM "_closed") OR ')
    statement.add(f'{record} IN (SELECT "{ROOT}"."id" FROM {sight.table.quoted} AS "{ROOT}" WHERE ')  # noqa: S608 - names of the definitions
    statement.add(sight.read, ")")


def _no_hidden_process(unit: Unit, statement: Statement, sight: Sight, register: Register) -> None:
    """Leave out what happened in a process whose state the reader may not see in that record."""
    if not register.process:
        return
    entity = sight.entity.name
    for process in sight.entity.processes:
        if not sight.hides(process):
            continue
        rule = condition_sql(
            sight.visible.rule(entity, process, known=True), entity, ROOT, unit.tx.dialect, unit.published.tables
        )
        statement.add(f" AND ({register.process} IS NULL OR {register.process} <> ").value(process)
        statement.add(f' OR {register.record} IN (SELECT "{ROOT}"."id" FROM {sight.table.quoted} AS "{ROOT}" WHERE ')  # noqa: S608 - names of the definitions
        statement.add(rule, "))")


def _order(statement: Statement, register: Register, sort: str) -> None:
    column = register.column(sort.removeprefix("-"))
    name, down = (register.order, True) if column is None else (column.source, sort.startswith("-"))
    way = "DESC" if down else "ASC"
    statement.add(f" ORDER BY {name} IS NULL, {name} {way}, {register.key.source} {way}")
