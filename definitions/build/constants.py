"""Expressions that are the same whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from definitions.expr import Context, Expression, WorkingCalendar
from definitions.expr.nodes import Literal

_NOWHEN = Context(datetime(1970, 1, 1, tzinfo=UTC), ZoneInfo("UTC"), cast("WorkingCalendar", None))
"""For expressions that ask for neither clock, zone nor calendar."""

_CALENDAR = frozenset({"working_days", "working_hours"})


def constant(expression: Expression) -> tuple[object] | None:
    """Return, in a tuple, the value of an expression that reads nothing, no clock and no calendar.

    None for every other one, for one without a value, and for bare literals.
    """
    if expression.reads or isinstance(expression.tree, Literal):
        return None
    called = expression.typing.overloads
    if any(call.name in _CALENDAR or not overload.pure for call, overload in called.items()):
        return None
    value = expression.evaluate({}, _NOWHEN)
    return None if value is None else (value,)
