"""What SQLite computes through Python, so that it agrees with the closure to the last digit.

Integers are integers; decimals are their canonical text (a column's scaled integer is turned into it first).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from definitions.expr import numbers, periods

Stored = int | str | None


def _number(stored: int | str) -> int | Decimal:
    return stored if isinstance(stored, int) else Decimal(stored)


def _stored(value: int | Decimal | None) -> Stored:
    return numbers.canonical(value) if isinstance(value, Decimal) else value


def _operation(compute: Callable[[Any, Any], int | Decimal | None]) -> Callable[[Stored, Stored], Stored]:
    def run(left: Stored, right: Stored) -> Stored:
        if left is None or right is None:
            return None
        return _stored(compute(_number(left), _number(right)))

    return run


def _unscale(stored: int | None, scale: int) -> str | None:
    return None if stored is None else numbers.canonical(Decimal(stored).scaleb(-scale))


def _scaled(value: Stored, scale: int) -> int | None:
    if value is None:
        return None
    rounded = numbers.round_to(_number(value), scale)
    return None if rounded is None else numbers.bounded(int(rounded.scaleb(scale, numbers.WIDE)))


def _negate(value: Stored) -> Stored:
    return None if value is None else _stored(numbers.negate(_number(value)))


def _compare(left: Stored, right: Stored) -> int | None:
    if left is None or right is None:
        return None
    first, second = _number(left), _number(right)
    return (first > second) - (first < second)


def _equal(left: Stored, right: Stored) -> int:
    if left is None or right is None:
        return int(left is right)
    return int(_number(left) == _number(right))


def _sum(stored: str) -> Stored:
    """Return the sum of a JSON array of numbers: 0 for none, null when one is null."""
    total: Any = 0
    for value in json.loads(stored):
        total = None if total is None or value is None else numbers.add(total, _number(value))
    return _stored(total)


def _period(unit: periods.Unit, stored: str | None, zone: str | None) -> str | None:
    if stored is None:
        return None
    if zone is None:
        day = date.fromisoformat(stored)
    else:
        day = datetime.fromisoformat(stored).astimezone(ZoneInfo(zone)).date()
    return periods.first_day(day, unit).isoformat()


SQLITE_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "expr_add": (2, _operation(numbers.add)),
    "expr_subtract": (2, _operation(numbers.subtract)),
    "expr_multiply": (2, _operation(numbers.multiply)),
    "expr_divide": (2, _operation(numbers.divide)),
    "expr_remainder": (2, _operation(numbers.remainder)),
    "expr_round": (2, _operation(numbers.round_to)),
    "expr_negate": (1, _negate),
    "expr_compare": (2, _compare),
    "expr_equal": (2, _equal),
    "expr_sum": (1, _sum),
    "expr_unscale": (2, _unscale),
    "expr_scaled": (2, _scaled),
    "expr_period": (3, _period),
}
"""By name: the number of arguments, and the function; register them (deterministic) on each SQLite connection."""
