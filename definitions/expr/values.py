"""What compiled expressions call: equality, selection, loops and arithmetic over values, None where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from definitions.duration import Duration
from definitions.expr import numbers, periods
from definitions.expr.expression import Context
from definitions.expr.functions import FAILURES

MAX_STEPS = 100_000
EMPTY: Mapping[str, Any] = {}


class BudgetError(ValueError):
    """The loops of an expression took more than `MAX_STEPS` steps."""


class Budget:
    """The steps that the loops of one evaluation may still take."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        """Begin with all of them."""
        self.left = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Take steps; raises `BudgetError` when none are left."""
        self.left -= steps
        if self.left < 0:
            raise BudgetError


# selection and equality


def select(of: Any, field: str) -> Any:
    """Return an entry of a mapping."""
    return of.get(field) if isinstance(of, Mapping) else None


def index(of: Any, key: Any) -> Any:
    """Return an element of a list or an entry of a map."""
    if isinstance(of, Mapping):
        return of.get(key) if isinstance(key, str | int) and not isinstance(key, bool) else _entry(of, key)
    if isinstance(of, Sequence) and not isinstance(of, str) and isinstance(key, int) and 0 <= key < len(of):
        return of[key]
    return None


def _entry(of: Mapping[Any, Any], key: Any) -> Any:
    return next((value for each, value in of.items() if equal(each, key)), None)


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal as the language has it: null equals only null, records are equal by id."""
    if left is None or right is None:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping):
        return isinstance(right, Mapping) and _same(left, right)
    if isinstance(left, list | tuple):
        return isinstance(right, list | tuple) and len(left) == len(right) and all(map(equal, left, right))
    return bool(left == right)


def _same(left: Mapping[Any, Any], right: Mapping[Any, Any]) -> bool:
    if "id" in left and "id" in right:
        return bool(left["id"] == right["id"])
    return len(left) == len(right) and all(key in right and equal(value, right[key]) for key, value in left.items())


def contains(items: Any, value: Any) -> bool:
    """Whether a list has an element, or a map a key."""
    if items is None:
        return False
    return any(equal(each, value) for each in items)


def make_map(entries: Iterable[tuple[Any, Any]]) -> dict[Any, Any] | None:
    """Return the map of the entries; None when a key is null or there twice."""
    made: dict[Any, Any] = {}
    for key, value in entries:
        if key is None or key in made:
            return None
        made[key] = value
    return made


def less(left: Any, right: Any) -> bool:
    """Whether `left` comes before `right`; false where they have no order."""
    if left is None or right is None:
        return False
    if isinstance(left, Duration) and isinstance(right, Duration):
        return periods.order(left, right) == -1
    try:
        return bool(left < right)
    except TypeError:
        return False


def less_or_equal(left: Any, right: Any) -> bool:
    """Whether `left` comes before `right` or at the same place."""
    return less(left, right) or (left is not None and equal(left, right))


def older(moment: date | None, span: Duration | None, context: Context) -> int | None:
    """Return how `moment + span` stands to now: -1 before (older than the span), 0, 1; None when it can't be told."""
    if moment is None or span is None:
        return None
    try:
        start = moment if isinstance(moment, datetime) else periods.start_of(moment, context)
    except FAILURES:
        return None
    return periods.standing(start, span, context)


def smallest(values: Iterable[Any]) -> Any:
    """Return the least of the values; None when one is null or there are none."""
    return _extreme(values, less)


def largest(values: Iterable[Any]) -> Any:
    """Return the greatest of the values; None when one is null or there are none."""
    return _extreme(values, lambda left, right: less(right, left))


def _extreme(values: Iterable[Any], before: Callable[[Any, Any], bool]) -> Any:
    best: Any = None
    for position, value in enumerate(values or ()):
        if value is None:
            return None
        if position == 0 or before(value, best):
            best = value
    return best


def within(value: Any, names: frozenset[str]) -> bool:
    """Whether a state, or one of the states of a parallel process, is among the names."""
    if isinstance(value, str):
        return value in names
    return isinstance(value, list | tuple) and not names.isdisjoint(value)


# loops


def _elements(items: Any, variables: int, budget: Budget) -> Iterable[tuple[Any, ...]] | None:
    if not isinstance(items, Mapping | list | tuple):
        return None
    budget.spend(len(items))
    if variables == 1:
        return [(item,) for item in items]
    return list(items.items()) if isinstance(items, Mapping) else list(enumerate(items))


def loop_all(items: Any, variables: int, test: Callable[..., Any], budget: Budget) -> bool | None:
    """Whether the test holds for every element."""
    elements = _elements(items, variables, budget)
    return None if elements is None else all(test(*each) for each in elements)


def loop_exists(items: Any, variables: int, test: Callable[..., Any], budget: Budget) -> bool | None:
    """Whether the test holds for an element."""
    elements = _elements(items, variables, budget)
    return None if elements is None else any(test(*each) for each in elements)


def loop_exists_one(items: Any, variables: int, test: Callable[..., Any], budget: Budget) -> bool | None:
    """Whether the test holds for exactly one element."""
    elements = _elements(items, variables, budget)
    return None if elements is None else sum(1 for each in elements if test(*each)) == 1


def loop_filter(items: Any, variables: int, test: Callable[..., Any], budget: Budget) -> tuple[Any, ...] | None:
    """Return the elements for which the test holds."""
    elements = _elements(items, variables, budget)
    return None if elements is None else tuple(each[-1] for each in elements if test(*each))


def loop_map(items: Any, variables: int, body: Callable[..., Any], budget: Budget) -> tuple[Any, ...] | None:
    """Return what the body computes for each element."""
    elements = _elements(items, variables, budget)
    return None if elements is None else tuple(body(*each) for each in elements)


def loop_sum(context: Context, items: Any, variables: int, body: Callable[..., Any], budget: Budget) -> Any:
    """Return the sum of what the body computes for each element: 0 for none, null when one is null."""
    values = loop_map(items, variables, body, budget)
    if values is None:
        return None
    total: Any = values[0] if values else 0
    for value in values[1:]:
        total = plus(context, total, value)
    return total


# arithmetic over anything


def plus(context: Context, left: Any, right: Any) -> Any:
    """Return `left + right`."""
    if left is None or right is None:
        return None
    if _numeric(left) and _numeric(right):
        return numbers.add(left, right)
    if isinstance(left, Duration) and not isinstance(right, Duration):
        left, right = right, left
    try:
        if isinstance(right, Duration):
            return _later(context, left, right)
        return _together(left, right)
    except FAILURES:
        return None


def _together(left: Any, right: Any) -> Any:
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return (*left, *right)
    return left + right if isinstance(left, str) and isinstance(right, str) else None


def _later(context: Context, left: Any, span: Duration) -> Any:
    if isinstance(left, Duration):
        return periods.plus(left, span)
    if isinstance(left, datetime):
        return periods.later(left, span, context)
    return periods.later_date(left, span, context) if isinstance(left, date) else None


def minus(context: Context, left: Any, right: Any) -> Any:
    """Return `left - right`."""
    if left is None or right is None:
        return None
    if _numeric(left) and _numeric(right):
        return numbers.subtract(left, right)
    try:
        if isinstance(right, Duration):
            return _later(context, left, periods.negative(right))
        if isinstance(left, date) and isinstance(right, date):
            return Duration(exact=left - right)
    except FAILURES:
        return None
    return None


def negate(value: Any) -> Any:
    """Return `-value`."""
    try:
        if isinstance(value, Duration):
            return periods.negative(value)
        return numbers.negate(value) if _numeric(value) else None
    except FAILURES:
        return None


def times(_: Context, left: Any, right: Any) -> Any:
    """Return `left * right`."""
    return numbers.multiply(left, right) if _numeric(left) and _numeric(right) else None


def over(_: Context, left: Any, right: Any) -> Any:
    """Return `left / right`."""
    return numbers.divide(left, right) if _numeric(left) and _numeric(right) else None


def modulo(_: Context, left: Any, right: Any) -> Any:
    """Return `left % right`."""
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in (left, right))
    return numbers.remainder(left, right) if whole else None


def _numeric(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)
