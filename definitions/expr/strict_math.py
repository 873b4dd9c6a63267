"""The `math` functions of strict CEL."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from definitions.expr.nodes import UInt
from definitions.expr.strict_values import MAX_UINT, StrictError, integer, is_number, less, number

Number = int | UInt | float


def _refused() -> StrictError:
    return StrictError("no such overload")


def _checked(*values: Any) -> None:
    if not values or not all(is_number(value) for value in values):
        raise _refused()


def _items(values: tuple[Any, ...]) -> tuple[Any, ...]:
    items: tuple[Any, ...] = values[0] if len(values) == 1 and isinstance(values[0], tuple) else values
    _checked(*items)
    return items


def _greatest(*values: Any) -> Any:
    items = _items(values)
    best = items[0]
    for item in items[1:]:
        best = item if less(best, item) else best
    return best


def _least(*values: Any) -> Any:
    items = _items(values)
    best = items[0]
    for item in items[1:]:
        best = item if less(item, best) else best
    return best


def _abs(value: Any) -> Number:
    _checked(value)
    if isinstance(value, UInt):
        return value
    return abs(value) if isinstance(value, float) else integer(abs(value))


def _sign(value: Any) -> Number:
    _checked(value)
    plain = number(value)
    if isinstance(value, float):
        return value if math.isnan(value) else float((plain > 0) - (plain < 0))
    sign = (plain > 0) - (plain < 0)
    return UInt(sign) if isinstance(value, UInt) else sign


def _double(compute: Callable[[float], Any]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        if not isinstance(value, float):
            raise _refused()
        return compute(value)

    return run


def _whole(compute: Callable[[float], int]) -> Callable[[Any], Any]:
    return _double(lambda value: float(compute(value)) if math.isfinite(value) else value)


def _half_away(value: float) -> int:
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def _sqrt(value: Any) -> float:
    _checked(value)
    plain = float(number(value))
    return math.sqrt(plain) if plain >= 0 else math.nan


def _bits(compute: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    def run(left: Any, right: Any) -> Any:
        if isinstance(left, UInt) and isinstance(right, UInt):
            return UInt(compute(left.value, right.value))
        if _is_int(left) and _is_int(right):
            return compute(left, right)
        raise _refused()

    return run


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _not(value: Any) -> Any:
    if isinstance(value, UInt):
        return UInt(value.value ^ MAX_UINT)
    if not _is_int(value):
        raise _refused()
    return ~value


def _shift(compute: Callable[[int, int], int]) -> Callable[[Any, Any], Any]:
    """Return a shift of the 64 bits of a number, without regard to its sign."""

    def run(value: Any, by: Any) -> Any:
        if not (isinstance(value, UInt) or _is_int(value)) or not _is_int(by):
            raise _refused()
        if by < 0:
            raise StrictError("negative offset")
        plain = number(value)
        bits = compute(int(plain) & MAX_UINT, by) & MAX_UINT if by < 64 else 0
        if isinstance(value, UInt):
            return UInt(bits)
        return bits - (1 << 64) if bits >> 63 else bits

    return run


MATH: Mapping[str, Callable[..., Any]] = {
    "math.greatest": _greatest,
    "math.least": _least,
    "math.abs": _abs,
    "math.sign": _sign,
    "math.ceil": _whole(math.ceil),
    "math.floor": _whole(math.floor),
    "math.round": _whole(_half_away),
    "math.trunc": _whole(math.trunc),
    "math.sqrt": _sqrt,
    "math.isInf": _double(math.isinf),
    "math.isNaN": _double(math.isnan),
    "math.isFinite": _double(math.isfinite),
    "math.bitAnd": _bits(lambda left, right: left & right),
    "math.bitOr": _bits(lambda left, right: left | right),
    "math.bitXor": _bits(lambda left, right: left ^ right),
    "math.bitNot": _not,
    "math.bitShiftLeft": _shift(lambda value, by: value << by),
    "math.bitShiftRight": _shift(lambda value, by: value >> by),
}
