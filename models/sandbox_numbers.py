"""Numbers in texts of a pack: exact, as amounts are, and never so big that writing them takes long."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any

from jinja2.exceptions import SecurityError

DIGITS = 1_000
"""No number has more digits before or behind its point."""
DECIMALS = 20
_WIDE = Context(prec=DIGITS + DECIMALS + 1)
_ROUNDINGS: Mapping[str, str] = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}


def exact(value: Any) -> Any:
    """Return a written fraction as the decimal that was written; anything else as it is."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def small(value: Any) -> Any:
    """Return the value; `SecurityError` for a decimal of too many digits."""
    if isinstance(value, Decimal) and abs(value.adjusted()) > DIGITS:
        raise SecurityError("this number is too big")
    return value


def round_to(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Return a number rounded to at most `DECIMALS` decimals, halves away from zero; whole numbers stay whole."""
    if abs(int(precision)) > DECIMALS:
        raise SecurityError("no number has so many decimals")
    number = small(exact(value))
    if not isinstance(number, int | Decimal) or method not in _ROUNDINGS:
        raise TypeError(f"{value!r} can't be rounded so")
    if isinstance(number, int) and precision >= 0:
        return number
    unit = Decimal(1).scaleb(-int(precision))
    rounded = (Decimal(number) / unit).quantize(Decimal(1), _ROUNDINGS[method], _WIDE) * unit
    return int(rounded) if isinstance(number, int) else rounded
