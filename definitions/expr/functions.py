"""The functions of the language: what they take, what they return, and how they run.

A function of which an argument is null returns null, and so does one without a result. `run` may raise `FAILURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import re2  # type: ignore[import-untyped] # it has no types

from definitions.duration import Duration
from definitions.expr import numbers, periods
from definitions.expr.expression import Context
from definitions.expr.types import (
    BOOL,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    STRING,
    ListOf,
    MapOf,
    RecordOf,
    Type,
)

_SILENT = re2.Options()
_SILENT.log_errors = False
FAILURES = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, re2.error)


@dataclass(frozen=True, slots=True)
class Overload:
    """One way of calling a function; `run(context, *arguments)`, the target first. `pure`: without the context."""

    parameters: tuple[Type, ...]
    result: Type
    run: Callable[..., Any]
    pure: bool = True


@dataclass(frozen=True, slots=True)
class Function:
    """A function by name; a `method` is written behind its first argument."""

    name: str
    overloads: tuple[Overload, ...]
    method: bool = False


MEMBER = RecordOf("member")
_DAYS = (DATE, DATETIME)


def call(run: Callable[..., Any]) -> Callable[..., Any]:
    """Return `run` with the language's rule of null around it."""

    def guarded(context: Context | None, *arguments: Any) -> Any:
        for argument in arguments:
            if argument is None:
                return None
        try:
            return run(context, *arguments)
        except FAILURES:
            return None

    return guarded


# texts


def _replace(_: Context, text: str, old: str, new: str, limit: int = -1) -> str | None:
    if len(text) * max(1, len(new)) > 1_000_000:
        return None
    return text.replace(old, new, limit)


def _substring(_: Context, text: str, start: int, end: int | None = None) -> str | None:
    stop = len(text) if end is None else end
    return text[start:stop] if 0 <= start <= stop <= len(text) else None


def _index_of(_: Context, text: str, part: str, start: int = 0) -> int | None:
    return text.find(part, start) if 0 <= start <= len(text) else None


def _last_index_of(_: Context, text: str, part: str, start: int | None = None) -> int | None:
    if start is None:
        return text.rfind(part)
    return text.rfind(part, 0, start + len(part)) if 0 <= start <= len(text) else None


def _char_at(_: Context, text: str, index: int) -> str | None:
    return (text[index] if index < len(text) else "") if 0 <= index <= len(text) else None


def _split(_: Context, text: str, separator: str, limit: int = -1) -> tuple[str, ...]:
    if limit == 0:
        return ()
    if not separator:
        letters = tuple(text)
        return letters if limit < 0 or len(letters) <= limit else (*letters[: limit - 1], "".join(letters[limit - 1 :]))
    return tuple(text.split(separator, limit - 1 if limit > 0 else -1))


def _upper(_: Context, text: str) -> str:
    return "".join(letter.upper() if letter.isascii() else letter for letter in text)


def _lower(_: Context, text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


def matches(_: Context | None, text: str, pattern: str) -> bool:
    """Whether the pattern is found in the text, in linear time."""
    return re2.search(pattern, text, options=_SILENT) is not None


def is_pattern(text: str) -> bool:
    """Whether a text is a regular expression of RE2."""
    try:
        re2.compile(text, options=_SILENT)
    except FAILURES:
        return False
    return True


def to_text(_: Context | None, value: Any) -> str:
    """Return a value as a text, as CEL's `string(…)` does."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return numbers.canonical(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Duration):
        return f"{numbers.canonical(Decimal(value.exact // timedelta(microseconds=1)) / 1_000_000)}s"
    return str(value)


_TEXTS = [
    Function("contains", (Overload((STRING, STRING), BOOL, lambda _, text, part: part in text),), method=True),
    Function(
        "startsWith", (Overload((STRING, STRING), BOOL, lambda _, text, part: text.startswith(part)),), method=True
    ),
    Function("endsWith", (Overload((STRING, STRING), BOOL, lambda _, text, part: text.endswith(part)),), method=True),
    Function("matches", (Overload((STRING, STRING), BOOL, matches),), method=True),
    Function("matches", (Overload((STRING, STRING), BOOL, matches),)),
    Function("lowerAscii", (Overload((STRING,), STRING, _lower),), method=True),
    Function("upperAscii", (Overload((STRING,), STRING, _upper),), method=True),
    Function("trim", (Overload((STRING,), STRING, lambda _, text: text.strip()),), method=True),
    Function("reverse", (Overload((STRING,), STRING, lambda _, text: text[::-1]),), method=True),
    Function("charAt", (Overload((STRING, INT), STRING, _char_at),), method=True),
    Function(
        "indexOf",
        (Overload((STRING, STRING), INT, _index_of), Overload((STRING, STRING, INT), INT, _index_of)),
        method=True,
    ),
    Function(
        "lastIndexOf",
        (Overload((STRING, STRING), INT, _last_index_of), Overload((STRING, STRING, INT), INT, _last_index_of)),
        method=True,
    ),
    Function(
        "substring",
        (Overload((STRING, INT), STRING, _substring), Overload((STRING, INT, INT), STRING, _substring)),
        method=True,
    ),
    Function(
        "replace",
        (
            Overload((STRING, STRING, STRING), STRING, _replace),
            Overload((STRING, STRING, STRING, INT), STRING, _replace),
        ),
        method=True,
    ),
    Function(
        "split",
        (Overload((STRING, STRING), ListOf(STRING), _split), Overload((STRING, STRING, INT), ListOf(STRING), _split)),
        method=True,
    ),
    Function(
        "join",
        (
            Overload((ListOf(STRING),), STRING, lambda _, items: "".join(items)),
            Overload((ListOf(STRING), STRING), STRING, lambda _, items, between: between.join(items)),
        ),
        method=True,
    ),
]

# numbers and lists


def _length(_: Context, value: Any) -> int:
    return len(value)


_SIZES = (
    Overload((STRING,), INT, _length),
    Overload((ListOf(DYN),), INT, _length),
    Overload((MapOf(DYN, DYN),), INT, _length),
)
_NUMBERS = [
    Function("size", _SIZES),
    Function("size", _SIZES, method=True),
    Function("count", (Overload((ListOf(DYN),), INT, _length),)),
    Function("round", (Overload((DECIMAL, INT), DECIMAL, lambda _, value, digits: numbers.round_to(value, digits)),)),
    Function(
        "int",
        (
            Overload((DECIMAL,), INT, lambda _, value: numbers.whole(value)),
            Overload((STRING,), INT, lambda _, value: numbers.whole(value)),
        ),
    ),
    Function(
        "decimal",
        (
            Overload((DECIMAL,), DECIMAL, lambda _, value: numbers.to_decimal(value)),
            Overload((STRING,), DECIMAL, lambda _, value: numbers.to_decimal(value)),
        ),
    ),
    Function(
        "string",
        tuple(Overload((kind,), STRING, to_text) for kind in (STRING, DECIMAL, BOOL, DATE, DATETIME, DURATION)),
    ),
]

# time


def _date(context: Context, value: date) -> date:
    return periods.local_date(value, context) if isinstance(value, datetime) else value


def _datetime(_: Context, text: str) -> datetime | None:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else None


def _age(context: Context, value: date) -> Duration:
    moment = value if isinstance(value, datetime) else periods.start_of(value, context)
    return Duration(exact=context.now - moment)


def _first_day(unit: periods.Unit) -> tuple[Overload, ...]:
    return tuple(
        Overload((kind,), DATE, lambda context, value: periods.first_day(_date(context, value), unit), pure=False)
        for kind in _DAYS
    )


def _part(read: Callable[[date], int]) -> tuple[Overload, ...]:
    return tuple(
        Overload((kind,), INT, lambda context, value: read(_date(context, value)), pure=False) for kind in _DAYS
    )


def _clock(read: Callable[[datetime], int], unit: timedelta | None = None) -> tuple[Overload, ...]:
    moments = Overload((DATETIME,), INT, lambda context, value: read(value.astimezone(context.timezone)), pure=False)
    if unit is None:
        return (moments,)
    spans = Overload((DURATION,), INT, lambda _, span: int(span.exact / unit) if span.is_exact else None)
    return (moments, spans)


def _countable(span: Duration | None) -> Duration | None:
    """Return a span; None for one of more working time than is counted."""
    return span if span is not None and span.is_countable else None


def _working_hours(_: Context, count: int) -> Duration | None:
    return _countable(Duration(working_hours=count))


def _working_days(_: Context, count: int) -> Duration | None:
    return _countable(Duration(working_days=count))


_TIMES = [
    Function("now", (Overload((), DATETIME, lambda context: context.now, pure=False),)),
    Function("today", (Overload((), DATE, lambda context: periods.local_date(context.now, context), pure=False),)),
    Function(
        "date",
        (
            Overload((DATE,), DATE, _date),
            Overload((DATETIME,), DATE, _date, pure=False),
            Overload((STRING,), DATE, lambda _, text: date.fromisoformat(text)),
        ),
    ),
    Function("timestamp", (Overload((STRING,), DATETIME, _datetime), Overload((DATETIME,), DATETIME, lambda _, t: t))),
    Function(
        "duration",
        (
            Overload((STRING,), DURATION, lambda _, text: _countable(periods.parse_duration(text))),
            Overload((DURATION,), DURATION, lambda _, span: span),
        ),
    ),
    Function("age", tuple(Overload((kind,), DURATION, _age, pure=False) for kind in _DAYS)),
    Function("days", (Overload((INT,), DURATION, lambda _, count: Duration(exact=timedelta(days=count))),)),
    Function(
        "working_hours", (Overload((INT,), DURATION, lambda _, count: _countable(Duration(working_hours=count))),)
    ),
    Function("working_days", (Overload((INT,), DURATION, lambda _, count: _countable(Duration(working_days=count))),)),
    Function("year", _first_day("year")),
    Function("month", _first_day("month")),
    Function("week", _first_day("week")),
    Function("day", _first_day("day")),
    Function("getFullYear", _part(lambda day: day.year), method=True),
    Function("getMonth", _part(lambda day: day.month - 1), method=True),
    Function("getDate", _part(lambda day: day.day), method=True),
    Function("getDayOfMonth", _part(lambda day: day.day - 1), method=True),
    Function("getDayOfWeek", _part(lambda day: day.isoweekday() % 7), method=True),
    Function("getDayOfYear", _part(lambda day: day.timetuple().tm_yday - 1), method=True),
    Function("getHours", _clock(lambda moment: moment.hour, timedelta(hours=1)), method=True),
    Function("getMinutes", _clock(lambda moment: moment.minute, timedelta(minutes=1)), method=True),
    Function("getSeconds", _clock(lambda moment: moment.second, timedelta(seconds=1)), method=True),
    Function("getMilliseconds", _clock(lambda moment: moment.microsecond // 1000), method=True),
]

# members


def _is_upline_of(_: Context, above: Mapping[str, Any], below: Mapping[str, Any]) -> bool:
    high, low = above["_path"], below["_path"]
    return bool(low != high and low.startswith(high))


_MEMBERS = [Function("is_upline_of", (Overload((MEMBER, MEMBER), BOOL, _is_upline_of),), method=True)]

_ALL = [*_TEXTS, *_NUMBERS, *_TIMES, *_MEMBERS]
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL if not function.method}
METHODS: Mapping[str, Function] = {function.name: function for function in _ALL if function.method}
SPECIAL = ("is_in", "min", "max")
"""Functions whose types no table can say: `check` and `evaluate` know them."""
