"""Figures over the records that an actor may read, computed from what the actor sees of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from definitions.expr import BOOL, DATE, DATETIME, DECIMAL, Expression, SqlTemplate, to_sql
from definitions.spec.screen import Statistic
from models.records import Records
from models.statement import Statement
from models.tx import Row as SqlRow
from models.visible import ROOT

_NULL = SqlTemplate("CAST(NULL AS BIGINT)")


@dataclass(frozen=True, slots=True)
class Row:
    """One group: the values of `by` (of memory: a date, a state's name, a reference's id), the figure, its records."""

    group: tuple[Any, ...]
    value: int | Decimal | None
    count: int


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a statistic, ordered by group (empty ones last); without `by` one row with an empty group.

    A `share` is a fraction from 0 to 1; `time_in` the average stay that has ended, in seconds. A value that the actor
    may not see counts as empty: in no sum and no average, its group is None, and a condition over it does not hold.
    """

    statistic: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Grouped:
    """The SQL of the groups, and what turns their stored values into values of memory."""

    templates: tuple[SqlTemplate, ...]
    decoders: tuple[Callable[[Any], Any], ...]

    def values(self, row: SqlRow) -> tuple[Any, ...]:
        return tuple(
            None if stored is None else decode(stored) for decode, stored in zip(self.decoders, row, strict=False)
        )


async def compute(records: Records, statistic: Statistic) -> Result:
    """Compute a statistic under the row and field rules of the records' actor."""
    grouped = _grouped(records, statistic)
    found = (
        _stays(records, statistic, grouped) if statistic.measure == "time_in" else _figures(records, statistic, grouped)
    )
    rows = sorted(await found, key=lambda row: [(value is None, _sortable(value)) for value in row.group])
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
    return _Grouped(templates, decoders)


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
    return lambda stored: stored


def _number(stored: Any, template: SqlTemplate) -> Decimal:
    return Decimal(str(stored)) if template.scale is None else Decimal(stored).scaleb(-template.scale)


async def _figures(records: Records, statistic: Statistic, grouped: _Grouped) -> list[Row]:
    """Count and sum in the database, divide here: exact, and the same on every database."""
    of = _NULL if statistic.of is None else _sql(records, statistic, statistic.of)
    summed = SqlTemplate(f"CASE WHEN {of.text} THEN 1 ELSE 0 END", of.bind) if statistic.measure == "share" else of
    statement = await _begin(records, statistic)
    for template in grouped.templates:
        statement.add(template, ", ")
    statement.add("count(*), sum(", summed, "), count(", summed, ")")
    await _from(statement, records, statistic)
    if grouped.templates:
        statement.add(" GROUP BY ", ", ".join(str(number + 1) for number in range(len(grouped.templates))))
    rows = await records.tx.rows(statement.text, statement.values)
    return [
        Row(grouped.values(row), _figure(statistic, summed, *row[-3:]), row[-3])
        for row in rows
        if row[-3] or not statistic.by
    ]


def _figure(statistic: Statistic, template: SqlTemplate, count: int, total: Any, filled: int) -> int | Decimal | None:
    match statistic.measure:
        case "count":
            return count
        case "share":
            return Decimal(total) / count if count else None
        case "sum":
            return _total(statistic, template, total or 0)
        case _:
            return Decimal(_total(statistic, template, total)) / filled if filled else None


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


async def _stays(records: Records, statistic: Statistic, grouped: _Grouped) -> list[Row]:
    """Return the average of the stays in a state that have ended, from the history of moves that were not undone."""
    process, state = statistic.time_in or ("", "")
    statement = await _begin(records, statistic)
    for template in grouped.templates:
        statement.add(template, ", ")
    statement.add(f'"{ROOT}"."id", "{ROOT}"."created_at", h."at", h."from_state", h."to_state"')
    join = (
        f' JOIN "_history" h ON h."entity" = ? AND h."record" = "{ROOT}"."id" AND h."process" = ? AND h."kind" = ?'
        ' AND h."undone_by" IS NULL AND (h."from_state" = ? OR h."to_state" = ?)'
    )
    await _from(statement, records, statistic, join, statistic.entity, process, "moved", state, state)
    seen = records.sight(statistic.entity).visible.value(statistic.entity, ROOT, process)
    statement.add(" AND ", seen, f' IS NOT NULL ORDER BY "{ROOT}"."id", h."at", h."id"')
    rows = await records.tx.rows(statement.text, statement.values)
    initial = records.network.processes[process].initial == state
    stays: dict[tuple[Any, ...], list[float]] = {}
    width = len(grouped.templates)
    for _, moves in groupby(rows, key=lambda row: row[width]):
        own = list(moves)
        stays.setdefault(grouped.values(own[0]), []).extend(
            _ended([row[width + 1 :] for row in own], state, initial=initial)
        )
    return [Row(group, _average(each), len(each)) for group, each in stays.items() if each or not statistic.by]


def _average(seconds: Sequence[float]) -> Decimal | None:
    return Decimal(round(sum(seconds) / len(seconds))) if seconds else None


def _ended(moves: Sequence[Sequence[str]], state: str, *, initial: bool) -> Iterator[float]:
    """Yield how long each stay of one record in the state was, in seconds; moves are (created, at, from, to)."""
    entered = datetime.fromisoformat(moves[0][0]) if initial else None
    for _, at, source, target in moves:
        moment = datetime.fromisoformat(at)
        if source == state and target != state and entered is not None:
            yield (moment - entered).total_seconds()
            entered = None
        elif target == state and source != state:
            entered = moment
