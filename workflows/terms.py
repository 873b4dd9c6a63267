"""How long records are kept, as it holds today: what `retention` says of an entity, and which records are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from definitions.duration import Duration
from definitions.expr import Context, Names, SqlTemplate, to_sql
from definitions.expr.expression import Expression
from definitions.expr.periods import END, first_date_from, later, reached, start_of
from definitions.spec.entity import Entity, Retention
from definitions.spec.network import Network
from models.ddl import quoted
from models.members import MEMBER
from models.statement import Statement
from models.visible import ROOT
from workflows.unit import Unit

ACTIVITY = "last_activity_at"
"""Where nobody did anything with a record yet, its time runs from its creation."""
CREATED = "created_at"


_UNNOTED = f' AND NOT EXISTS (SELECT 1 FROM "_retention" k WHERE k."record" = "{ROOT}"."id" AND k."entity" = '  # noqa: S608 - an alias of ours


@dataclass(frozen=True, slots=True)
class Term:
    """How long records of an entity are kept today: `after` from `since`; who may object is warned `warn` before."""

    entity: str
    since: str
    after: Duration
    warn: Duration | None
    unless: Expression | None

    def due(self, values: Mapping[str, Any], context: Context) -> datetime | None:
        """Return when a record is due, None for one whose time does not run or has no end in the calendar."""
        begins = self.begins(values, context)
        try:
            return None if begins is None else later(begins, self.after, context)
        except (OverflowError, ValueError):
            return None

    def begins(self, values: Mapping[str, Any], context: Context) -> datetime | None:
        """Return since when the time of a record runs."""
        found = values.get(self.since)
        if found is None and self.since == ACTIVITY:
            found = values.get(CREATED)
        if isinstance(found, datetime):
            return found
        return start_of(found, context) if isinstance(found, date) else None


def positive(span: Any) -> bool:
    """Whether something is a duration that leads forward."""
    if not isinstance(span, Duration):
        return False
    parts = (span.months, span.exact.total_seconds(), span.working_hours, span.working_days)
    return all(part >= 0 for part in parts) and any(part > 0 for part in parts)


async def terms(unit: Unit) -> dict[str, Term]:
    """Return how long each kind of record is kept today."""
    said = [entity.retention for entity in unit.network.entities.values() if entity.retention is not None]
    values = [value for each in said for value in (each.after, each.warn) if value is not None]
    names = await unit.records.system.names_for(*(value.expression for value in values))
    return terms_of(unit.network, names, unit.context)


def terms_of(network: Network, names: Names, context: Context) -> dict[str, Term]:
    """Return how long each kind of record is kept.

    One whose time, or whose warning, is no duration above zero or leads out of the calendar is kept for ever.
    """
    found = (_term(entity, entity.retention, names, context) for entity in network.entities.values())
    return {term.entity: term for term in found if term is not None}


def _term(entity: Entity, said: Retention | None, names: Names, context: Context) -> Term | None:
    after = None if said is None else said.after.compute(names, context)
    if said is None or not isinstance(after, Duration) or not positive(after):
        return None
    warn = None if said.warn is None else said.warn.compute(names, context)
    warn = warn if positive(warn) else None
    if not all(_reachable(span, context) for span in (after, warn) if span is not None):
        return None
    unless = None if said.unless is None else said.unless.expression
    return Term(entity.name, said.since, after, warn, unless)


def _reachable(span: Duration, context: Context) -> bool:
    """Whether a time from now on ends within the calendar, and is told without counting for long."""
    try:
        return span.is_countable and later(context.now, span, context) < END
    except (OverflowError, ValueError):
        return False


def ahead(context: Context, span: Duration | None) -> Context:
    """Return the context of the time that is `span` ahead."""
    if span is None:
        return context
    return Context(later(context.now, span, context), context.timezone, context.calendar)


async def due(unit: Unit, term: Term, at: Context) -> Statement:
    """Begin a statement: `FROM` the records that are due at the time of a context, and `WHERE` they are.

    What can be indexed comes first; `unless` is asked as things are now. An active member never is.
    """
    expressions = () if term.unless is None else (term.unless,)
    names = {**await unit.records.system.names_for(*expressions), "actor": None}
    statement = Statement(names, unit.context)
    table = unit.published.tables[term.entity]
    statement.add(f' FROM {table.quoted} AS "{ROOT}" WHERE (')
    _reached(statement, unit, term, term.since, at)
    if term.since == ACTIVITY:
        statement.add(f' OR ("{ROOT}".{quoted(ACTIVITY)} IS NULL AND ')
        _reached(statement, unit, term, CREATED, at)
        statement.add(")")
    statement.add(")")
    if term.entity == MEMBER:
        statement.add(f' AND NOT COALESCE("{ROOT}"."active", FALSE)')
    if term.unless is not None:
        kept: SqlTemplate = to_sql(term.unless, unit.tx.dialect, unit.published.tables, ROOT)
        statement.add(" AND NOT COALESCE((", kept, "), FALSE)")
    return statement


def _reached(statement: Statement, unit: Unit, term: Term, column: str, at: Context) -> None:
    """Add that so much time has passed since the moment, or the beginning of the day, in a column."""
    table, name = unit.published.tables[term.entity], f'"{ROOT}".{quoted(column)}'
    statement.add("(")
    for place, (first, last) in enumerate(reached(term.after, at, inclusive=True)):
        statement.add(" OR " if place else "")
        bounds = [_bound(unit, term.entity, column, end, at) for end in (first, last)]
        statement.add(f"({name} >= ").value(table.encode(column, bounds[0]))
        statement.add(f" AND {name} < ").value(table.encode(column, bounds[1])).add(")")
    statement.add(")")


def _bound(unit: Unit, entity: str, column: str, end: datetime, at: Context) -> date | datetime:
    """Return the end of a stretch of time as a column's values are: a moment, or the first day from it on."""
    field = unit.network.entities[entity].fields.get(column)
    return first_date_from(end, at) if field is not None and field.type == "date" else end


async def still(unit: Unit, term: Term, records: Sequence[str], at: Context) -> dict[str, Mapping[str, Any]]:
    """Return those of some records that are due at the time of a context, with all their values."""
    if not records:
        return {}
    table = unit.published.tables[term.entity]
    columns = ", ".join(f'"{ROOT}".{quoted(name)}' for name in table.values)
    statement = await due(unit, term, at)
    statement.add(f' AND "{ROOT}"."id" IN (').value(*records).add(")")
    rows = await unit.tx.rows(f"SELECT {columns}{statement.text}", statement.values)
    found = [table.decode_values(row) for row in rows]
    return {values["id"]: values for values in found}


async def fresh(unit: Unit, term: Term, at: Context, limit: int) -> list[Mapping[str, Any]]:
    """Return records that are due at the time of a context and that nothing was noted of yet, those due first first."""
    table = unit.published.tables[term.entity]
    columns = ", ".join(f'"{ROOT}".{quoted(name)}' for name in table.values)
    statement = await due(unit, term, at)
    statement.add(_UNNOTED)
    statement.value(term.entity).add(f') ORDER BY "{ROOT}".{quoted(term.since)}, "{ROOT}"."id" LIMIT ').value(limit)
    rows = await unit.tx.rows(f"SELECT {columns}{statement.text}", statement.values)
    return [table.decode_values(row) for row in rows]


async def count(unit: Unit, term: Term, at: Context) -> int:
    """Return how many records are due at the time of a context."""
    statement = await due(unit, term, at)
    row = await unit.tx.row(f"SELECT count(*){statement.text}", statement.values)
    return 0 if row is None else int(row[0])


def owner(values: Mapping[str, Any], entity: str) -> str | None:
    """Return whose a record is: its owner's; a member is its own."""
    found = {"id": values["id"]} if entity == MEMBER else values.get("owner")
    return None if found is None else str(found["id"])
