"""Figures over the records that an actor may read, computed from what the actor sees of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from definitions.expr import BOOL, DATE, DATETIME, DECIMAL, Expression, ListOf, SqlTemplate, to_sql
from definitions.spec.screen import Statistic
from models.errors import NotFoundError
from models.records import Records
from models.small_groups import Tally, hidden_people, is_person, merge
from models.statement import Statement
from models.tx import Row as SqlRow
from models.visible import ROOT

_NULL = SqlTemplate("CAST(NULL AS BIGINT)")


@dataclass(frozen=True, slots=True)
class Row:
    """One group: the values of `by` (of memory: a date, a state's name, a reference's id), the figure, its records.

    A `merged` row is what `models.small_groups` made of several groups; its values of `by` are None.
    """

    group: tuple[Any, ...]
    value: int | Decimal | None
    count: int
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a statistic, ordered by group (empty ones last); without `by` one row with an empty group.

    A `share` is a fraction from 0 to 1; `time_in` the average stay that has ended, in seconds. A value that the actor
    may not see counts as empty: in no sum and no average, its group is None, and a condition over it does not hold.
    Groups with few such people are merged (`models.small_groups`).
    """

    statistic: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Grouped:
    """The SQL of the groups, and what turns their stored values into values of memory."""

    templates: tuple[SqlTemplate, ...]
    decoders: tuple[Callable[[Any], Any], ...]
    unseen: tuple[SqlTemplate, SqlTemplate] | None

    def values(self, row: SqlRow) -> tuple[Any, ...]:
        return tuple(
            None if stored is None else decode(stored) for decode, stored in zip(self.decoders, row, strict=False)
        )


async def compute(records: Records, statistic: Statistic) -> Result:
    """Compute a statistic under the row and field rules of the actor; `NotFoundError` for who does not analyse."""
    if "analyse" not in records.access.functions(records.actor):
        raise NotFoundError
    grouped = _grouped(records, statistic)
    counted = _stays if statistic.measure == "time_in" else _figures
    entity = records.network.entities[statistic.entity]
    tallies = merge(await counted(records, statistic, grouped), apart=is_person(entity))
    of = None if statistic.of is None else _measured(records, statistic, statistic.of)
    found = [Row(each.group, _figure(statistic, of, each), each.count, each.merged) for each in tallies]
    rows = sorted(found, key=lambda row: [(row.merged, value is None, _sortable(value)) for value in row.group])
    if not rows and not statistic.by:
        rows = [Row((), 0 if statistic.measure == "count" else None, 0)]
    return Result(statistic.name, tuple(rows))


def _sortable(value: Any) -> Any:
    return "" if value is None else value


def _grouped(records: Records, statistic: Statistic) -> _Grouped:
    templates = tuple(_sql(records, statistic, expression) for expression in statistic.by)
    decoders = tuple(
        _decoder(expression, template) for expression, template in zip(statistic.by, templates, strict=True)
    )
    sight = records.sight(statistic.entity)
    unseen = hidden_people(sight, (statistic.where, statistic.of, *statistic.by)) if statistic.by else None
    return _Grouped(templates, decoders, unseen)


def _sql(records: Records, statistic: Statistic, expression: Expression) -> SqlTemplate:
    return to_sql(expression, records.tx.dialect, records.sight(statistic.entity).visible, ROOT)


def _decoder(expression: Expression, template: SqlTemplate) -> Callable[[Any], Any]:
    if expression.type == BOOL:
        return bool
    if expression.type == DATE:
        return lambda stored: stored if isinstance(stored, date) else date.fromisoformat(stored)
    if expression.type == DATETIME:
        return lambda stored: datetime.fromisoformat(stored).astimezone(UTC)
    if expression.type == DECIMAL:
        return lambda stored: _number(stored, template)
    if isinstance(expression.type, ListOf):
        return lambda stored: tuple(json.loads(stored))
    return lambda stored: stored


def _number(stored: Any, template: SqlTemplate) -> Decimal:
    return Decimal(str(stored)) if template.scale is None else Decimal(stored).scaleb(-template.scale)


async def _figures(records: Records, statistic: Statistic, grouped: _Grouped) -> list[Tally]:
    """Count and sum in the database; what is divided later is exact, and the same on every database."""
    summed = _NULL if statistic.of is None else _measured(records, statistic, statistic.of)
    statement = await _begin(records, statistic)
    for template in grouped.templates:
        statement.add(template, ", ")
    statement.add("count(*), sum(", summed, "), count(", summed, "), ")
    if grouped.unseen is None:
        statement.add("0")
    else:
        unseen, person = grouped.unseen
        statement.add("count(DISTINCT CASE WHEN ", unseen, " THEN ", person, " END)")
    await _from(statement, records, statistic)
    if grouped.templates:
        statement.add(" GROUP BY ", ", ".join(str(number + 1) for number in range(len(grouped.templates))))
    rows = await records.tx.rows(statement.text, statement.values)
    return [Tally(grouped.values(row), *row[-4:]) for row in rows if row[-4] or not statistic.by]


def _measured(records: Records, statistic: Statistic, of: Expression) -> SqlTemplate:
    """Return what is summed: for a share, 1 where its condition holds."""
    template = _sql(records, statistic, of)
    if statistic.measure != "share":
        return template
    return SqlTemplate(f"CASE WHEN {template.text} THEN 1 ELSE 0 END", template.bind)


def _figure(statistic: Statistic, template: SqlTemplate | None, tally: Tally) -> int | Decimal | None:
    match statistic.measure:
        case "count":
            return tally.count
        case "share":
            return Decimal(tally.total or 0) / tally.count if tally.count else None
        case "sum":
            return _total(statistic, template or _NULL, tally.total or 0)
        case "time_in":
            return Decimal(round((tally.total or 0) / tally.filled)) if tally.filled else None
        case _:
            return _total(statistic, template or _NULL, tally.total) / Decimal(tally.filled) if tally.filled else None


def _total(statistic: Statistic, template: SqlTemplate, total: Any) -> int | Decimal:
    if template.scale is None and statistic.of is not None and statistic.of.type != DECIMAL:
        return int(total)
    return _number(total, template)


async def _begin(records: Records, statistic: Statistic) -> Statement:
    names = await records.names_for(statistic.where, statistic.of, *statistic.by)
    return Statement(names, records.context).add("SELECT ")


async def _from(statement: Statement, records: Records, statistic: Statistic, join: str = "", *values: Any) -> None:
    sight = records.sight(statistic.entity)
    statement.add(f' FROM {sight.table.quoted} AS "{ROOT}"')
    if join:
        statement.add(join)
        statement.values.extend(values)
    statement.add(" WHERE ", sight.read)
    if statistic.where is not None:
        statement.add(" AND ", _sql(records, statistic, statistic.where))


def _unseen_person(grouped: _Grouped) -> tuple[str | SqlTemplate, ...]:
    """Return who a row is about, NULL where the reader sees all that the statistic reads."""
    if grouped.unseen is None:
        return ("NULL",)
    unseen, person = grouped.unseen
    return ("CASE WHEN ", unseen, " THEN ", person, " END")


async def _stays(records: Records, statistic: Statistic, grouped: _Grouped) -> list[Tally]:
    """Return the average of the stays in a state that have ended, from the history of moves that were not undone."""
    process, state = statistic.time_in or ("", "")
    statement = await _begin(records, statistic)
    for template in grouped.templates:
        statement.add(template, ", ")
    statement.add(f'"{ROOT}"."id", "{ROOT}"."created_at", h."at", h."from_state", h."to_state", ')
    statement.add(*_unseen_person(grouped))
    join = (
        f' JOIN "_history" h ON h."entity" = ? AND h."record" = "{ROOT}"."id" AND h."process" = ? AND h."kind" = ?'
        ' AND h."undone_by" IS NULL'
    )
    defined = records.network.processes[process]
    inside = defined.below.get(state, (state,))
    if not defined.parallel:  # of one that is, a row may name several states
        marks = ", ".join("?" * len(inside))
        join += f' AND (h."from_state" IN ({marks}) OR h."to_state" IN ({marks}))'
    named = () if defined.parallel else (*inside, *inside)
    await _from(statement, records, statistic, join, statistic.entity, process, "moved", *named)
    seen = records.sight(statistic.entity).visible.value(statistic.entity, ROOT, process)
    statement.add(" AND ", seen, f' IS NOT NULL ORDER BY "{ROOT}"."id", h."at", h."id"')
    rows = await records.tx.rows(statement.text, statement.values)
    initial = state in defined.active(defined.initial)
    stays: dict[tuple[Any, ...], list[float]] = {}
    people: dict[tuple[Any, ...], set[str]] = {}
    width = len(grouped.templates)
    for _, moves in groupby(rows, key=lambda row: row[width]):
        own = list(moves)
        group = grouped.values(own[0])
        ended = _ended([row[width + 1 : -1] for row in own], frozenset(inside), initial=initial)
        stays.setdefault(group, []).extend(ended)
        people.setdefault(group, set()).update({own[0][-1]} - {None})
    return [
        Tally(group, len(each), Decimal(sum(each)), len(each), len(people[group]))
        for group, each in stays.items()
        if each or not statistic.by
    ]


def _ended(moves: Sequence[Sequence[str]], inside: frozenset[str], *, initial: bool) -> Iterator[float]:
    """Yield how long each stay of one record in a state was, in seconds; moves are (created, at, from, to).

    `inside` are the innermost states that count as the state. Of states side by side a move names those it changes.
    """
    entered = datetime.fromisoformat(moves[0][0]) if initial else None
    for _, at, source, target in moves:
        moment = datetime.fromisoformat(at)
        left, reached = not inside.isdisjoint(source.split()), not inside.isdisjoint(target.split())
        if left and not reached and entered is not None:
            yield (moment - entered).total_seconds()
            entered = None
        elif reached and not left:
            entered = moment
