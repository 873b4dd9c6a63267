"""Values that are valid, unique and known again wherever they turn up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from definitions.duration import Duration
from definitions.spec.entity import Field
from definitions.spec.network import Network

MARKS = re.compile(r"zq[0-9a-z]{5}|73\d{5}(?<!\d73\d{5})|63998\d{4}")
"""Marks in texts, in numbers and in telephone numbers, in small letters; each begins with its first letter, so that
the millions of others are passed over quickly."""
_BETWEEN = re.compile(r"(\d)[ \u00a0\u202f.,'](?=\d)")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def marks_in(told: str) -> set[str]:
    """Return the marks that stand in a text, however its numbers are written."""
    small = told.lower()
    return {*MARKS.findall(small), *MARKS.findall(_BETWEEN.sub(r"\1", small))}


def marks_of(value: Any) -> Iterator[str]:
    """Yield the marks of a value of memory."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        yield from marks_in(str(value))
    elif isinstance(value, Mapping) and "id" not in value:
        for each in value.values():
            yield from marks_of(each)


def mark(number: int) -> str:
    """Return the mark with that number, as a text."""
    found = ""
    for _ in range(5):
        number, rest = divmod(number, 36)
        found = _DIGITS[rest] + found
    return f"zq{found}"


def value_for(network: Network, field: Field, number: int, turn: int) -> Any:
    """Return a value that the field takes; numbers are drawn once each, `turn` chooses among few values."""
    if field.type in {"integer", "decimal", "money"}:
        return _number(field, number, turn)
    if field.type in {"text", "long_text"}:
        return _text(field, number)
    simple: Mapping[str, Any] = {
        "email": f"{mark(number)}@example.com",
        "phone": f"+3363998{number % 10_000:04d}",
        "url": f"https://example.com/{mark(number)}",
        "boolean": turn % 2 == 0,
        "date": date(1970, 1, 1) + timedelta(days=number % 10_000),
        "datetime": datetime(1990, 1, 1, 8, tzinfo=UTC) + timedelta(days=number % 10_000),
        "duration": Duration(exact=timedelta(days=1 + number % 500)),
        "country": network.countries[turn % len(network.countries)] if network.countries else "FR",
        "language": network.languages[turn % len(network.languages)],
        "json": {"k": mark(number)},
    }
    if field.type == "choice":
        return list(field.options)[turn % len(field.options)]
    if field.type == "choices":
        return (list(field.options)[turn % len(field.options)],)
    return simple.get(field.type)


def _text(field: Field, number: int) -> str | None:
    candidates = (mark(number), f"73{number:05d}12", f"AB{number}", "abc", "1")
    most = None if field.max is None else field.max.literal
    for each in candidates:
        shaped = field.pattern is None or re.fullmatch(field.pattern, each)
        if shaped and (most is None or len(each) <= most):
            return each
    return None


def _number(field: Field, number: int, turn: int) -> Any:
    written = 1 if turn % 3 == 2 else 7_300_000 + number
    most = None if field.max is None else field.max.literal
    if most is not None and written > most:
        written = int(most) - turn % 3
    return written if field.type == "integer" else Decimal(written)
