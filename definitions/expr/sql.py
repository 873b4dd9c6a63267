"""Expressions of the query subset as SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from definitions.expr.expression import Expression
from definitions.expr.template import Columns, Dialect, SqlTemplate

SQLITE_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {}


def to_sql(expression: Expression, dialect: Dialect, columns: Columns, alias: str = "record") -> SqlTemplate:
    """Return the SQL of an expression over the row `alias`: a condition for a boolean, else a value.

    A condition may be NULL where it is false. Raises `DefinitionError` for what databases don't compute alike.
    """
    raise NotImplementedError
