"""What the functions and operators of strict CEL take and give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from definitions.expr.functions import METHODS as TEXT_METHODS
from definitions.expr.strict_types import FLEXIBLE, Parameters
from definitions.expr.types import (
    BOOL,
    BYTES,
    DATETIME,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TYPE,
    UINT,
    ListOf,
    MapOf,
    Scalar,
    Type,
)

A, B = Scalar(f"{FLEXIBLE}A"), Scalar(f"{FLEXIBLE}B")
_LIST, _MAP = ListOf(A), MapOf(A, B)
_NUMBERS: tuple[Type, ...] = (INT, UINT, DOUBLE)
TYPE_NAMES: Mapping[str, Type] = {
    "bool": BOOL,
    "int": INT,
    "uint": UINT,
    "double": DOUBLE,
    "string": STRING,
    "bytes": BYTES,
    "list": _LIST,
    "map": _MAP,
    "null_type": NULL,
    "type": TYPE,
    "google.protobuf.Timestamp": DATETIME,
    "google.protobuf.Duration": DURATION,
}


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call; `many` takes one or more of the last."""

    parameters: tuple[Type, ...]
    result: Type
    many: bool = False

    def instance(self, parameters: Parameters, count: int) -> tuple[list[Type] | None, Type]:
        """Return what `count` arguments must be (None for another number) and what it gives, parameters its own."""
        wanted = self.parameters * count if self.many and count else self.parameters
        if len(wanted) != count:
            return None, self.result
        *kinds, result = parameters.instance((*wanted, self.result))
        return kinds, result


Signatures = tuple[Signature, ...]


def _ways(*ways: tuple[Type, ...]) -> Signatures:
    """Return signatures, each written as its parameters and its result."""
    return tuple(Signature(way[:-1], way[-1]) for way in ways)


def _same(kinds: Iterable[Type], *, result: Type | None = None) -> Signatures:
    return tuple(Signature((kind, kind), kind if result is None else result) for kind in kinds)


def _from(result: Type, *kinds: Type) -> Signatures:
    return tuple(Signature((kind,), result) for kind in kinds)


_ORDERED = _same((BOOL, *_NUMBERS, STRING, BYTES, DATETIME, DURATION), result=BOOL)
_EQUAL = _ways((A, A, BOOL))
_LOGIC = _ways((BOOL, BOOL, BOOL))
OPERATORS: Mapping[str, Signatures] = {
    "!x": _from(BOOL, BOOL),
    "-x": _ways((INT, INT), (DOUBLE, DOUBLE)),
    "?:": _ways((BOOL, A, A, A)),
    "[]": _ways((ListOf(A), INT, A), (MapOf(A, B), A, B)),
    "||": _LOGIC,
    "&&": _LOGIC,
    "==": _EQUAL,
    "!=": _EQUAL,
    "<": _ORDERED,
    "<=": _ORDERED,
    ">": _ORDERED,
    ">=": _ORDERED,
    "in": _ways((A, _LIST, BOOL), (A, _MAP, BOOL)),
    "+": (
        *_same((*_NUMBERS, STRING, BYTES, _LIST, DURATION)),
        *_ways((DATETIME, DURATION, DATETIME), (DURATION, DATETIME, DATETIME)),
    ),
    "-": (
        *_same((*_NUMBERS, DURATION)),
        *_ways((DATETIME, DATETIME, DURATION), (DATETIME, DURATION, DATETIME)),
    ),
    "*": _same(_NUMBERS),
    "/": _same(_NUMBERS),
    "%": _same((INT, UINT)),
}
_SIZES = _from(INT, STRING, BYTES, _LIST, _MAP)
_MATCHES = _ways((STRING, STRING, BOOL))
_EXTREMES = (
    *(Signature((kind,), kind, many=True) for kind in _NUMBERS),
    *(Signature((ListOf(kind),), kind) for kind in _NUMBERS),
    Signature((ListOf(DYN),), DYN),
    Signature((DYN,), DYN, many=True),
)
_ROUNDED = _from(DOUBLE, DOUBLE)
_TESTED = _from(BOOL, DOUBLE)
_BITS = _same((INT, UINT))
_SHIFTS = _ways((INT, INT, INT), (UINT, INT, UINT))
_KEPT = _ways(*((kind, kind) for kind in _NUMBERS))
FUNCTIONS: Mapping[str, Signatures] = {
    "size": _SIZES,
    "int": _from(INT, INT, UINT, DOUBLE, STRING, DATETIME),
    "uint": _from(UINT, INT, UINT, DOUBLE, STRING),
    "double": _from(DOUBLE, INT, UINT, DOUBLE, STRING),
    "bool": _from(BOOL, BOOL, STRING),
    "bytes": _from(BYTES, BYTES, STRING),
    "string": _from(STRING, BOOL, INT, UINT, DOUBLE, STRING, BYTES, DATETIME, DURATION),
    "timestamp": _from(DATETIME, DATETIME, STRING, INT),
    "duration": _from(DURATION, DURATION, STRING),
    "type": _ways((A, TYPE)),
    "dyn": _ways((A, DYN)),
    "matches": _MATCHES,
    "strings.quote": _from(STRING, STRING),
    "math.greatest": _EXTREMES,
    "math.least": _EXTREMES,
    "math.abs": _KEPT,
    "math.sign": _KEPT,
    **dict.fromkeys(("math.ceil", "math.floor", "math.round", "math.trunc"), _ROUNDED),
    **dict.fromkeys(("math.isInf", "math.isNaN", "math.isFinite"), _TESTED),
    **dict.fromkeys(("math.bitAnd", "math.bitOr", "math.bitXor"), _BITS),
    "math.sqrt": _from(DOUBLE, *_NUMBERS),
    "math.bitNot": _ways((INT, INT), (UINT, UINT)),
    "math.bitShiftLeft": _SHIFTS,
    "math.bitShiftRight": _SHIFTS,
}
_OF_TIMES = _ways((DATETIME, INT), (DATETIME, STRING, INT))
_OF_BOTH = (*_OF_TIMES, *_from(INT, DURATION))
METHODS: Mapping[str, Signatures] = {
    **{
        name: tuple(Signature(overload.parameters, overload.result) for overload in function.overloads)
        for name, function in TEXT_METHODS.items()
        if function.overloads[0].parameters[0] in (STRING, ListOf(STRING))
    },
    "size": _SIZES,
    "matches": _MATCHES,
    "format": _ways((STRING, ListOf(DYN), STRING)),
    **dict.fromkeys(
        ("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        _OF_TIMES,
    ),
    **dict.fromkeys(("getHours", "getMinutes", "getSeconds", "getMilliseconds"), _OF_BOTH),
}
