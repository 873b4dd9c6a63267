"""The standard functions of strict CEL."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from definitions.expr import functions as definitions_functions
from definitions.expr.nodes import UInt
from definitions.expr.strict_format import formatted, quote
from definitions.expr.strict_math import MATH
from definitions.expr.strict_values import (
    SECOND,
    Map,
    Span,
    StrictError,
    Timestamp,
    TypeValue,
    integer,
    span,
    timestamp,
    unsigned,
)
from definitions.expr.types import STRING, ListOf

_GO = re.compile(r"([0-9]+)(?:\.([0-9]+))?(h|ms|us|µs|ns|m|s)")
_DOUBLE = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE)
_UNITS = {"h": 3600 * SECOND, "m": 60 * SECOND, "s": SECOND, "ms": 1_000_000, "us": 1000, "µs": 1000, "ns": 1}
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)")
_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (UInt, "uint"),
    (float, "double"),
    (str, "string"),
    (bytes, "bytes"),
    (tuple, "list"),
    (Map, "map"),
    (type(None), "null_type"),
    (Timestamp, "google.protobuf.Timestamp"),
    (Span, "google.protobuf.Duration"),
    (TypeValue, "type"),
)
TYPES = {name: TypeValue(name) for _, name in _NAMES}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def type_of(value: Any) -> TypeValue:
    """Return the type of a value."""
    return next(TYPES[name] for kind, name in _NAMES if isinstance(value, kind))


def refuse(*_: Any) -> Any:
    """Raise: there is no such function for these values."""
    raise StrictError("no such overload")


# conversions


def _int(value: Any) -> int:
    match value:
        case bool():
            return refuse()  # type: ignore[no-any-return]
        case int():
            return value
        case UInt():
            return integer(value.value)
        case float():
            return _truncated(value, -(1 << 63), 1 << 63)
        case str():
            return integer(_parsed(value, r"-?[0-9]+"))
        case Timestamp():
            return value.ns // SECOND
    return refuse()  # type: ignore[no-any-return]


def _uint(value: Any) -> UInt:
    match value:
        case bool():
            return refuse()  # type: ignore[no-any-return]
        case UInt():
            return value
        case int():
            return unsigned(value)
        case float():
            return unsigned(_truncated(value, -1, 1 << 64))
        case str():
            return unsigned(_parsed(value, r"[0-9]+"))
    return refuse()  # type: ignore[no-any-return]


def _parsed(text: str, pattern: str) -> int:
    if not re.fullmatch(pattern, text) or len(text) > 40:
        raise StrictError("type conversion error")
    return int(text)


def _truncated(value: float, low: int, high: int) -> int:
    if not low < value < high:
        raise StrictError("range")
    return int(value)


def _double(value: Any) -> float:
    match value:
        case bool():
            return refuse()  # type: ignore[no-any-return]
        case int() | float():
            return float(value)
        case UInt():
            return float(value.value)
        case str():
            if not _DOUBLE.fullmatch(value):
                raise StrictError("type conversion error")
            return float(value)
    return refuse()  # type: ignore[no-any-return]


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value in {"1", "t", "T", "true", "TRUE", "True"}:
            return True
        if value in {"0", "f", "F", "false", "FALSE", "False"}:
            return False
        raise StrictError("type conversion error")
    return refuse()  # type: ignore[no-any-return]


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else refuse()


def _string(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case UInt():
            return str(value.value)
        case float():
            return _double_text(value)
    return _string_of_others(value)


def _string_of_others(value: Any) -> str:
    match value:
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                raise StrictError("invalid UTF-8") from None
        case Span():
            return f"{fraction(value.ns)}s"
        case Timestamp():
            return value.text()
    return refuse()  # type: ignore[no-any-return]


def fraction(ns: int) -> str:
    """Return nanoseconds as seconds, without zeros at the end."""
    whole, rest = divmod(abs(ns), SECOND)
    digits = f"{rest:09}".rstrip("0")
    return ("-" if ns < 0 else "") + str(whole) + (f".{digits}" if digits else "")


def _double_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


# time


def _timestamp(value: Any) -> Timestamp:
    if isinstance(value, Timestamp):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return timestamp(value * SECOND)
    found = _RFC3339.fullmatch(value) if isinstance(value, str) else refuse()
    if not found:
        raise StrictError("invalid timestamp")
    try:
        moment = datetime.fromisoformat(found[1].upper() + found[3].upper().replace("Z", "+00:00"))
    except ValueError:
        raise StrictError("invalid timestamp") from None
    offset = moment.utcoffset() or timedelta(0)
    seconds = (moment.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1) - offset // timedelta(seconds=1)
    return timestamp(seconds * SECOND + int((found[2] or "0").ljust(9, "0")))


def _duration(value: Any) -> Span:
    if isinstance(value, Span):
        return value
    if not isinstance(value, str):
        return refuse()  # type: ignore[no-any-return]
    sign, rest = (-1, value[1:]) if value.startswith("-") else (1, value.removeprefix("+"))
    parts = list(_GO.finditer(rest))
    if rest == "0":
        return Span(0)
    if not parts or sum(len(part[0]) for part in parts) != len(rest):
        raise StrictError("invalid duration")
    total = 0
    for part in parts:
        digits = part[2] or ""
        total += int(part[1] + digits) * _UNITS[part[3]] // 10 ** len(digits)
    return span(sign * total)


def _zone(name: str) -> ZoneInfo | timezone:
    offset = _OFFSET.fullmatch(name)
    if offset:
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-shift if offset[1] == "-" else shift)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise StrictError(f"unknown time zone {name}") from None


def _part(read: Callable[[datetime], int], unit: int | None = None) -> Callable[..., int]:
    def run(value: Any, zone: str = "UTC") -> int:
        if isinstance(value, Timestamp):
            return read(value.moment().astimezone(_zone(zone)))
        if isinstance(value, Span) and unit is not None:
            return int(math.copysign(1, value.ns)) * (abs(value.ns) // unit)
        return refuse()  # type: ignore[no-any-return]

    return run


def _milliseconds(value: Any, zone: str = "UTC") -> int:
    if isinstance(value, Span):
        return int(math.copysign(1, value.ns)) * (abs(value.ns) % SECOND // 1_000_000)
    return _part(lambda moment: moment.microsecond // 1000)(value, zone)


# the rest


def _size(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes | tuple | Map) else refuse()


def _quote(value: Any) -> str:
    return quote(value) if isinstance(value, str) else refuse()


def _format(pattern: Any, values: Any) -> str:
    return formatted(pattern, values) if isinstance(pattern, str) and isinstance(values, tuple) else refuse()


def _shared(name: str) -> Callable[..., Any]:
    """Return a text function of the definitions: they are CEL's own."""
    overloads = definitions_functions.METHODS[name].overloads

    def run(*arguments: Any) -> Any:
        if not all(isinstance(each, str | int | tuple) and not isinstance(each, bool) for each in arguments):
            return refuse()
        for overload in overloads:
            if len(overload.parameters) == len(arguments):
                found = definitions_functions.call(overload.run)(None, *arguments)
                return found if found is not None else refuse()
        return refuse()

    return run


GLOBALS: Mapping[str, Callable[..., Any]] = {
    "size": _size,
    "int": _int,
    "uint": _uint,
    "double": _double,
    "bool": _bool,
    "bytes": _bytes,
    "string": _string,
    "timestamp": _timestamp,
    "duration": _duration,
    "type": type_of,
    "dyn": lambda value: value,
    "matches": _shared("matches"),
    "strings.quote": _quote,
    **MATH,
}
METHODS: Mapping[str, Callable[..., Any]] = {
    **{
        name: _shared(name)
        for name in definitions_functions.METHODS
        if definitions_functions.METHODS[name].overloads[0].parameters[0] in (STRING, ListOf(STRING))
    },
    "size": _size,
    "format": _format,
    "getFullYear": _part(lambda moment: moment.year),
    "getMonth": _part(lambda moment: moment.month - 1),
    "getDate": _part(lambda moment: moment.day),
    "getDayOfMonth": _part(lambda moment: moment.day - 1),
    "getDayOfWeek": _part(lambda moment: moment.isoweekday() % 7),
    "getDayOfYear": _part(lambda moment: moment.timetuple().tm_yday - 1),
    "getHours": _part(lambda moment: moment.hour, 3600 * SECOND),
    "getMinutes": _part(lambda moment: moment.minute, 60 * SECOND),
    "getSeconds": _part(lambda moment: moment.second, SECOND),
    "getMilliseconds": _milliseconds,
}
