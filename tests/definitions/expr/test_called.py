"""What compiled expressions and SQLite call: durations as they are written, arithmetic that takes anything."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from definitions.duration import Duration
from definitions.expr import numbers, periods, values
from definitions.expr.sqlite_functions import SQLITE_FUNCTIONS
from tests.definitions.expr.world import CONTEXT, NOW


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("72h", Duration(exact=timedelta(hours=72))),
        ("1h30m", Duration(exact=timedelta(minutes=90))),
        ("-1.5s", Duration(exact=timedelta(seconds=-1.5))),
        ("500ms", Duration(exact=timedelta(milliseconds=500))),
        ("0", Duration()),
        ("10m", Duration(exact=timedelta(minutes=10))),
        ("3d", Duration(exact=timedelta(days=3))),
        ("2w", Duration(exact=timedelta(weeks=2))),
        ("1 month", Duration(months=1)),
        ("-6 months", Duration(months=-6)),
        ("2 years", Duration(months=24)),
        ("4 working hours", Duration(working_hours=4)),
        ("3 working days", Duration(working_days=3)),
        ("", None),
        ("3", None),
        ("3x", None),
        ("1h 30m", None),
        ("99999999999h", None),
        ("99999999999w", None),
        ("999999999999.5h", None),
    ],
)
def test_durations_are_written_as_in_cel_or_as_in_plain_keys(text: str, wanted: Duration | None) -> None:
    assert periods.parse_duration(text) == wanted


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        (lambda: numbers.add(None, 1), None),
        (lambda: numbers.subtract(None, 1), None),
        (lambda: numbers.multiply(1, None), None),
        (lambda: numbers.divide(1, None), None),
        (lambda: numbers.negate(None), None),
        (lambda: numbers.canonical(Decimal("1E+3")), "1000"),
        (lambda: values.less("a", 1), False),
        (lambda: values.minus(CONTEXT, "a", "b"), None),
        (lambda: values.plus(CONTEXT, "a", Duration()), None),
        (lambda: values.plus(CONTEXT, NOW, NOW), None),
        (lambda: values.negate(Duration(exact=timedelta.max)), None),
        (lambda: values.older(date.min, Duration(), CONTEXT), None),
        (lambda: values.within(5, frozenset()), False),
    ],
)
def test_what_the_closures_call_takes_anything(run: Callable[[], Any], wanted: Any) -> None:
    assert run() == wanted


@pytest.mark.parametrize(
    ("name", "arguments", "wanted"),
    [
        ("expr_add", (1, None), None),
        ("expr_add", (1, "1.5"), "2.5"),
        ("expr_negate", (None,), None),
        ("expr_negate", ("1.50",), "-1.5"),
        ("expr_compare", (None, 1), None),
        ("expr_compare", (2, "1.5"), 1),
        ("expr_equal", (None, None), 1),
        ("expr_equal", (None, 1), 0),
        ("expr_equal", ("1.0", 1), 1),
        ("expr_unscale", (None, 2), None),
        ("expr_unscale", (1050, 2), "10.5"),
        ("expr_scaled", (None, 2), None),
        ("expr_scaled", ("1.005", 2), 101),
        ("expr_scaled", ("1e30", 2), None),
        ("expr_scaled", ("1e300", 2), None),
        ("expr_period", ("month", None, None), None),
        ("expr_period", ("week", "2026-03-15", None), "2026-03-09"),
        ("expr_period", ("day", "2026-06-30 22:30:00.000000+00:00", "Europe/Paris"), "2026-07-01"),
    ],
)
def test_the_functions_of_sqlite(name: str, arguments: tuple[Any, ...], wanted: Any) -> None:
    count, function = SQLITE_FUNCTIONS[name]
    assert len(arguments) == count
    assert function(*arguments) == wanted
