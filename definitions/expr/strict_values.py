"""The values of strict CEL: numbers of three kinds, times to the nanosecond, maps whose keys are of several types."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from definitions.expr.nodes import UInt
from definitions.expr.numbers import MAX_INT, MIN_INT

MAX_UINT = (1 << 64) - 1
SECOND = 1_000_000_000
EARLIEST = -62_135_596_800 * SECOND
LATEST = 253_402_300_800 * SECOND - 1
LONGEST = MAX_INT
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StrictError(Exception):
    """An evaluation of strict CEL has no value; the message says why."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment, in nanoseconds since 1970."""

    ns: int

    def moment(self) -> datetime:
        """Return the moment to the microsecond."""
        return _EPOCH + timedelta(microseconds=self.ns // 1000)

    def text(self) -> str:
        """Return the moment as RFC 3339 writes it, in UTC."""
        whole = (_EPOCH + timedelta(seconds=self.ns // SECOND)).isoformat().replace("+00:00", "")
        rest = f"{self.ns % SECOND:09}".rstrip("0")
        return whole + (f".{rest}" if rest else "") + "Z"


@dataclass(frozen=True, slots=True)
class Span:
    """A duration, in nanoseconds."""

    ns: int


@dataclass(frozen=True, slots=True)
class TypeValue:
    """A type as a value."""

    name: str


class Map:
    """A map; 1, 1u and 1.0 are the same key, true is another."""

    def __init__(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Keep the pairs in order; raises StrictError for a key twice or of another type."""
        self.pairs: dict[Any, tuple[Any, Any]] = {}
        for key, value in pairs:
            if not isinstance(key, bool | int | UInt | str):
                raise StrictError("unsupported key type")
            if _key(key) in self.pairs:
                raise StrictError("repeated key")
            self.pairs[_key(key)] = (key, value)

    def __iter__(self) -> Iterator[Any]:
        """Go through the keys."""
        return (key for key, _ in self.pairs.values())

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self.pairs)

    def __contains__(self, key: Any) -> bool:
        """Whether the key is there."""
        return _key(key) in self.pairs

    def __getitem__(self, key: Any) -> Any:
        """Return the value of a key; raises StrictError without it."""
        if _key(key) not in self.pairs:
            raise StrictError(f"no such key: {key}")
        return self.pairs[_key(key)][1]


def _key(key: Any) -> Any:
    if isinstance(key, float) and key.is_integer():
        return ("number", int(key))
    if isinstance(key, UInt):
        return ("number", key.value)
    if isinstance(key, int) and not isinstance(key, bool):
        return ("number", key)
    return (type(key).__name__, key)


def is_number(value: Any) -> bool:
    """Whether a value is an int, uint or double."""
    return isinstance(value, int | UInt | float) and not isinstance(value, bool)


def number(value: Any) -> int | float:
    """Return the Python number of an int, uint or double."""
    plain: int | float = value.value if isinstance(value, UInt) else value
    return plain


def _pair(left: Any, right: Any) -> tuple[int | float, int | float]:
    """Return two numbers as they are compared: beside a double, a whole number is one too."""
    one, other = number(left), number(right)
    return (float(one), float(other)) if isinstance(one, float) or isinstance(other, float) else (one, other)


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal; values of different types are not."""
    if is_number(left) and is_number(right):
        one, other = _pair(left, right)
        return one == other
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, Map) and isinstance(right, Map):
        return len(left) == len(right) and all(key in right and equal(left[key], right[key]) for key in left)
    return type(left) is type(right) and bool(left == right)


def less(left: Any, right: Any) -> bool:
    """Whether `left` comes before `right`; raises StrictError for types without order."""
    if is_number(left) and is_number(right):
        one, other = _pair(left, right)
        return one < other
    if type(left) is type(right):
        if isinstance(left, bool | str | bytes):
            return bool(left < right)
        if isinstance(left, Timestamp | Span):
            return left.ns < int(right.ns)
    raise StrictError("no such overload")


def at_most(left: Any, right: Any) -> bool:
    """Whether `left` comes before `right` or equals it."""
    return less(left, right) or equal(left, right)


def integer(value: int) -> int:
    """Return an int of 64 bits; raises StrictError beyond."""
    if not MIN_INT <= value <= MAX_INT:
        raise StrictError("integer overflow")
    return value


def unsigned(value: int) -> UInt:
    """Return a uint of 64 bits; raises StrictError beyond."""
    if not 0 <= value <= MAX_UINT:
        raise StrictError("unsigned integer overflow")
    return UInt(value)


def timestamp(ns: int) -> Timestamp:
    """Return a moment of the years 1 to 9999; raises StrictError beyond."""
    if not EARLIEST <= ns <= LATEST:
        raise StrictError("timestamp out of range")
    return Timestamp(ns)


def span(ns: int) -> Span:
    """Return a duration of 64 bits; raises StrictError beyond."""
    if abs(ns) > LONGEST:
        raise StrictError("duration out of range")
    return Span(ns)


def calculate(operator: str, left: Any, right: Any) -> Any:
    """Return `left operator right` for `+ - * / %`."""
    if type(left) is type(right) and is_number(left):
        if isinstance(left, float):
            return _doubles(operator, left, right)
        if isinstance(left, UInt):
            return unsigned(_integers(operator, left.value, right.value))
        return integer(_integers(operator, left, right))
    if operator == "+":
        return _added(left, right)
    if operator == "-":
        return _subtracted(left, right)
    raise StrictError("no such overload")


def _integers(operator: str, left: int, right: int) -> int:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    if right == 0:
        raise StrictError("divide by zero" if operator == "/" else "modulus by zero")
    size, rest = divmod(abs(left), abs(right))
    if operator == "/":
        return size if (left < 0) == (right < 0) else -size
    return -rest if left < 0 else rest


def _doubles(operator: str, left: float, right: float) -> float:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return _divided(left, right)
        case _:
            raise StrictError("no such overload")


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _added(left: Any, right: Any) -> Any:
    if type(left) is type(right) and isinstance(left, str | bytes | tuple):
        return left + right
    match left, right:
        case (Timestamp(ns=one), Span(ns=other)) | (Span(ns=one), Timestamp(ns=other)):
            return timestamp(one + other)
        case Span(), Span():
            return span(left.ns + right.ns)
    raise StrictError("no such overload")


def _subtracted(left: Any, right: Any) -> Any:
    match left, right:
        case Timestamp(), Span():
            return timestamp(left.ns - right.ns)
        case (Timestamp(), Timestamp()) | (Span(), Span()):
            return span(left.ns - right.ns)
    raise StrictError("no such overload")
