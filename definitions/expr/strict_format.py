"""`format` and `strings.quote` of strict CEL: values put into a text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from definitions.expr.nodes import UInt
from definitions.expr.strict_values import SECOND, Map, Span, StrictError, Timestamp, TypeValue, number

_CLAUSE = re.compile(r"%(?:%|(?:\.([0-9]+))?([a-zA-Z])|)")
_QUOTED = {
    **dict(zip("\a\b\f\n\r\t\v", (f"\\{letter}" for letter in "abfnrtv"), strict=True)),
    "\\": "\\\\",
    '"': '\\"',
}
_INVALID = re.compile("\ufffd+")
MAX_PRECISION = 1000
_PRECISION = 6


def quote(text: str) -> str:
    """Return a text as a literal in double marks."""
    return '"' + "".join(_QUOTED.get(letter, letter) for letter in text) + '"'


def formatted(pattern: str, values: tuple[Any, ...]) -> str:
    """Return the pattern with the values in place of its clauses, in order; raises `StrictError`."""
    given = iter(enumerate(values))
    count = 0

    def filled(clause: re.Match[str]) -> str:
        nonlocal count
        if clause[0] == "%%":
            return "%"
        if clause[2] not in _CLAUSES:
            raise StrictError("unrecognized formatting clause")
        found = next(given, None)
        if found is None:
            raise StrictError(f"index {count} out of range")
        count += 1
        return _CLAUSES[clause[2]](found[1], _digits(clause))

    return _CLAUSE.sub(filled, pattern)


def _digits(clause: re.Match[str]) -> int:
    if clause[1] is None:
        return _PRECISION
    if len(clause[1]) > 4 or int(clause[1]) > MAX_PRECISION or clause[2] not in "fe":
        raise StrictError("invalid precision")
    return int(clause[1])


def _refused(value: Any) -> StrictError:
    return StrictError(f"error during formatting: {type(value).__name__} does not fit the clause")


def _is_int(value: Any) -> bool:
    return isinstance(value, int | UInt) and not isinstance(value, bool)


def _infinite(value: Any) -> str | None:
    if not isinstance(value, float) or math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(value: float) -> str:
    """Return a double in base 10 without an exponent and without zeros at the end."""
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(value: Any, digits: int = _PRECISION) -> str:
    match value:
        case str():
            return value
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float() | int() | UInt():
            return _decimal(value, digits)
        case bytes():
            return _INVALID.sub("\ufffd", value.decode("utf-8", "replace"))
    return _text_of_others(value)


def _text_of_others(value: Any) -> str:
    match value:
        case TypeValue(name=name):
            return name
        case Span(ns=ns):
            return f"{_plain(ns / SECOND)}s"
        case Timestamp():
            return value.text()
        case tuple():
            return "[" + ", ".join(map(_text, value)) + "]"
        case Map():
            entries = sorted((_text(key), _text(value[key])) for key in value)
            return "{" + ", ".join(f"{key}: {each}" for key, each in entries) + "}"
    raise _refused(value)


def _decimal(value: Any, _: int) -> str:
    if _is_int(value):
        return str(number(value))
    if not isinstance(value, float):
        raise _refused(value)
    return _infinite(value) or _plain(value)


def _real(style: str) -> Callable[[Any, int], str]:
    def run(value: Any, digits: int) -> str:
        if not _is_int(value) and not isinstance(value, float):
            raise _refused(value)
        found = _infinite(value)
        return f"{Decimal(number(value)):.{digits}{style}}" if found is None else found

    return run


def _scientific(value: Any, digits: int) -> str:
    text = _real("e")(value, digits)
    mantissa, letter, exponent = text.partition("e")
    return text if not letter else f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"


def _whole(style: str) -> Callable[[Any, int], str]:
    def run(value: Any, _: int) -> str:
        if not _is_int(value):
            raise _refused(value)
        return format(int(number(value)), style)

    return run


def _binary(value: Any, digits: int) -> str:
    return str(int(value)) if isinstance(value, bool) else _whole("b")(value, digits)


def _hexadecimal(value: Any, digits: int) -> str:
    match value:
        case str():
            return value.encode().hex()
        case bytes():
            return value.hex()
    return _whole("x")(value, digits)


_CLAUSES: Mapping[str, Callable[[Any, int], str]] = {
    "s": _text,
    "d": _decimal,
    "f": _real("f"),
    "e": _scientific,
    "b": _binary,
    "o": _whole("o"),
    "x": _hexadecimal,
    "X": lambda value, digits: _hexadecimal(value, digits).upper(),
}
