"""Arithmetic without surprises: integers of 64 bits, exact decimals, and None where there is no result."""

from __future__ import annotations

import decimal
from decimal import Decimal

MAX_INT = (1 << 63) - 1
MIN_INT = -(1 << 63)
EXACT = decimal.Context(
    prec=1000, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.Overflow, decimal.DivisionByZero]
)
ROUNDED = decimal.Context(prec=28, traps=[decimal.InvalidOperation, decimal.Overflow, decimal.DivisionByZero])
WIDE = decimal.Context(prec=2000)
"""Room for every exact result, with 60 digits behind the point."""

Number = int | Decimal


def bounded(value: int) -> int | None:
    """Return the value when it is an integer of 64 bits."""
    return value if MIN_INT <= value <= MAX_INT else None


def add(left: Number | None, right: Number | None) -> Number | None:
    """Return the sum."""
    if left is None or right is None:
        return None
    if isinstance(left, int) and isinstance(right, int):
        return bounded(left + right)
    return _exact(EXACT.add, left, right)


def subtract(left: Number | None, right: Number | None) -> Number | None:
    """Return the difference."""
    if left is None or right is None:
        return None
    if isinstance(left, int) and isinstance(right, int):
        return bounded(left - right)
    return _exact(EXACT.subtract, left, right)


def multiply(left: Number | None, right: Number | None) -> Number | None:
    """Return the product."""
    if left is None or right is None:
        return None
    if isinstance(left, int) and isinstance(right, int):
        return bounded(left * right)
    return _exact(EXACT.multiply, left, right)


def divide(left: Number | None, right: Number | None) -> Number | None:
    """Return the quotient: of integers without what is behind the point, of decimals to 28 significant digits."""
    if left is None or right is None or right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return bounded(quotient if (left < 0) == (right < 0) else -quotient)
    return _exact(ROUNDED.divide, left, right)


def remainder(left: int | None, right: int | None) -> int | None:
    """Return the remainder, with the sign of `left`."""
    if left is None or right is None or right == 0:
        return None
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def negate(value: Number | None) -> Number | None:
    """Return the value with the other sign."""
    if value is None:
        return None
    return bounded(-value) if isinstance(value, int) else value.copy_negate()


def round_to(value: Number, digits: int) -> Decimal | None:
    """Return the value with `digits` behind the point; a half goes away from zero."""
    if not -60 <= digits <= 60:
        return None
    try:
        rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), decimal.ROUND_HALF_UP, WIDE)
        return rounded if digits >= 0 else rounded.quantize(Decimal(1), context=WIDE)
    except decimal.InvalidOperation:
        return None


def whole(value: Number | str) -> int | None:
    """Return the number, or the number that a text says, without what is behind the point."""
    try:
        number = Decimal(value)
    except decimal.InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 18:
        return None
    return bounded(int(number))


def to_decimal(value: Number | str) -> Decimal | None:
    """Return the number, or the number that a text says, as a decimal."""
    try:
        number = Decimal(value)
    except decimal.InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= 60 else None


def canonical(value: Number) -> str:
    """Return the one text of a number: without exponent and without zeros at the end."""
    if isinstance(value, int):
        return str(value)
    plain = format(value, "f")
    short = plain.rstrip("0").rstrip(".") if "." in plain else plain
    return "0" if short == "-0" else short


def _exact(operation: object, left: Number, right: Number) -> Decimal | None:
    try:
        return operation(Decimal(left), Decimal(right))  # type: ignore[operator, no-any-return] # of `operator`
    except decimal.DecimalException:
        return None
