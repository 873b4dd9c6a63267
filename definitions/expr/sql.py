"""Expressions of the query subset as SQL."""

from __future__ import annotations

from typing import Any

from definitions.expr.dialects import Part, fill
from definitions.expr.expression import Context, Expression, Names
from definitions.expr.query import Query
from definitions.expr.query_numbers import digits
from definitions.expr.sqlite_functions import SQLITE_FUNCTIONS
from definitions.expr.template import Columns, Dialect, SqlTemplate, nothing
from definitions.expr.types import BOOL, DECIMAL, Type
from definitions.problems import DefinitionError, Problem

__all__ = ["SQLITE_FUNCTIONS", "query_problems", "to_sql"]


def to_sql(expression: Expression, dialect: Dialect, columns: Columns, alias: str = "record") -> SqlTemplate:
    """Return the SQL of an expression over the row `alias`: a condition for a boolean, else a value.

    A condition may be NULL where it is false. Raises `DefinitionError` for what databases don't compute alike.
    """
    query = Query(expression.text, expression.place, expression.typing, dialect, columns, alias)
    part = _whole(query, expression)
    if query.problems:
        raise DefinitionError(tuple(query.problems))
    binds = part.binds

    def bind(names: Names, context: Context) -> tuple[Any, ...]:
        return tuple(value for each in binds for value in each(names, context))

    return SqlTemplate(part.text, bind if binds else nothing, part.scale)


def query_problems(expression: Expression) -> list[Problem]:
    """Return why an expression does not run in a database, nothing when it does."""
    query = Query(expression.text, expression.place, expression.typing, "sqlite", _AnyColumns(), "record")
    _whole(query, expression)
    return query.problems


def _whole(query: Query, expression: Expression) -> Part:
    if expression.type == BOOL:
        return query.condition(expression.tree, exact=False)
    part = query.value(expression.tree)
    if expression.type != DECIMAL or query.dialect != "sqlite" or part.scale is not None:
        return part
    scale = digits(query, expression.tree)
    scaled = fill(f"expr_scaled({{0}}, {scale})", part)
    return Part(scaled.text, scaled.binds, scale)


class _AnyColumns:
    """Tables as they might be: enough to see whether an expression can be written."""

    def table(self, entity: str) -> str:
        return entity

    def value(self, entity: str, alias: str, field: str) -> SqlTemplate:
        return SqlTemplate(f"{entity}.{alias}.{field}")

    def row(self, entity: str, alias: str) -> SqlTemplate:
        return SqlTemplate(f"{entity}.{alias}")

    def encode(self, value: Any, kind: Type) -> Any:
        raise NotImplementedError  # pragma: no cover - only the text is looked at, nothing is bound
