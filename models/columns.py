"""How values of each type stand in a database: the declared type of a column, encoding and decoding.

A moment is ISO text in UTC with microseconds, a date ISO text, a decimal an integer scaled by the field's decimals, a
boolean 0 or 1, choices and json are JSON text, a reference is the id. A duration is its microseconds when it is exact,
else JSON text of its parts. This is what SQLite keeps, and what stands in JSON (history, runs) everywhere.

PostgreSQL has types of its own: a `Tx` gives and takes moments and dates of `timestamptz` and `date` as the same texts,
while decimals are `NUMERIC`, booleans `BOOLEAN`, and a duration is text. Its texts sort by code point (`COLLATE "C"`),
as SQLite's do.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from piccolo.columns import BigInt, Boolean, Column, Date, Numeric, Text, Timestamptz

from definitions.duration import Duration
from definitions.expr.types import BOOL, DATE, DATETIME, DECIMAL, DURATION, DYN, ListOf, RecordOf, Type
from definitions.spec.entity import Field, FieldType
from definitions.spec.process import Process
from models.attachment import Attachment
from models.connections import stored_datetime
from models.piccolo_engine import CONVERTERS
from models.tx import Dialect

MAX_SCALE = 12
DIGITS = 30
"""Digits of a decimal on PostgreSQL, those behind the point included."""

MICROSECOND = timedelta(microseconds=1)
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Codec:
    """A way to store values: the declared type on SQLite, and what turns a value into its stored form and back.

    Neither sees None; one that is None changes nothing. `piccolo` makes the Piccolo column of it. `postgres` is the way
    on PostgreSQL.
    """

    declared: str
    piccolo: Callable[[], Column]
    encode: Convert | None = None
    decode: Convert | None = None
    postgres: Codec | None = None

    def on(self, dialect: Dialect) -> Codec:
        """Return the way on a database."""
        return self.postgres if dialect == "postgres" and self.postgres is not None else self

    def encoded(self, value: Any) -> Any:
        """Return the stored form of a value or of None."""
        return value if value is None or self.encode is None else self.encode(value)

    def decoded(self, stored: Any) -> Any:
        """Return the value of a stored form or of None."""
        return stored if stored is None or self.decode is None else self.decode(stored)


class ScaledDecimal(Numeric):
    """A decimal that SQLite keeps as an integer; Piccolo reads it back as a Decimal by its declared type."""

    def __init__(self, scale: int) -> None:
        """Keep `scale` decimals."""
        self.decimals = scale
        super().__init__(digits=None, default=None, null=True)

    @property
    def column_type(self) -> str:
        """Return the declared type: integer affinity, and the scale for the converter."""
        return f"INT_SCALE_{self.decimals}"


def _unscale(scale: int) -> Convert:
    return lambda stored: Decimal(int(stored)).scaleb(-scale)


for _scale in range(MAX_SCALE + 1):
    CONVERTERS[f"INT_SCALE_{_scale}"] = _unscale(_scale)
    sqlite3.register_converter(f"INT_SCALE_{_scale}", _unscale(_scale))


def scaled(value: Decimal | int, scale: int) -> int:
    """Return a decimal as an integer with `scale` decimals, half to even where it has more."""
    return int(Decimal(value).scaleb(scale).to_integral_value(ROUND_HALF_EVEN))


def encode_duration(value: Duration) -> int | str:
    """Return the stored form of a duration."""
    exact = value.exact // MICROSECOND
    if value.is_exact:
        return exact
    return json.dumps([value.months, exact, value.working_hours, value.working_days])


def decode_duration(stored: int | str) -> Duration:
    """Return the duration of a stored form."""
    if isinstance(stored, int) or not stored.startswith("["):
        return Duration(exact=timedelta(microseconds=int(stored)))
    months, exact, hours, days = json.loads(stored)
    return Duration(months, timedelta(microseconds=exact), hours, days)


@lru_cache(maxsize=1024)
def decode_datetime(stored: str) -> datetime:
    """Return the moment of a stored form: records that were made together share theirs."""
    found = datetime.fromisoformat(stored)
    return found if found.tzinfo is UTC else found.astimezone(UTC)


def encode_reference(value: Any) -> str:
    """Return the id of a record, or the id itself."""
    return str(value["id"] if isinstance(value, Mapping) else value)


def decode_reference(stored: str) -> dict[str, str]:
    """Return a record of which only the id is known."""
    return {"id": stored}


def encode_json(value: Any) -> str:
    """Return JSON text; dates, decimals and durations in it become text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return stored_datetime(value)
        case date():
            return value.isoformat()
        case Duration():
            return encode_duration(value)
        case Mapping():
            return dict(value)
        case set() | frozenset():
            return sorted(value)
        case _:
            return str(value)


def _text() -> Column:
    return Text(default=None, null=True)


def _big_int() -> Column:
    return BigInt(default=None, null=True)


SORTED = 'TEXT COLLATE "C"'


def _text_codec(encode: Convert | None = None, decode: Convert | None = None) -> Codec:
    return Codec("TEXT", _text, encode, decode, Codec(SORTED, _text, encode, decode))


def _boolean() -> Column:
    return Boolean(default=None, null=True)


TEXT = _text_codec()
INTEGER = Codec("BIGINT", _big_int)
BOOLEAN = Codec("BOOLEAN", _boolean, int, bool, Codec("BOOLEAN", _boolean, bool))
DAY = Codec("DATE", lambda: Date(default=None, null=True), date.isoformat, date.fromisoformat)
MOMENT = Codec("TIMESTAMPTZ", lambda: Timestamptz(default=None, null=True), stored_datetime, decode_datetime)
SPAN = Codec(
    "DURATION",
    _text,
    encode_duration,
    decode_duration,
    Codec(SORTED, _text, lambda value: str(encode_duration(value)), decode_duration),
)
CHOICES = _text_codec(lambda value: encode_json(list(value)), lambda stored: tuple(json.loads(stored)))
JSON = _text_codec(encode_json, json.loads)
FILE = _text_codec(encode_json, lambda stored: Attachment(json.loads(stored)))
REFERENCE = _text_codec(encode_reference, decode_reference)


def _states(stored: str) -> tuple[str, ...]:
    return tuple(json.loads(stored)) if stored.startswith("[") else (stored,)


STATES = _text_codec(lambda value: encode_json(list(value)), _states)
"""Lists of states. What was stored before the process had states side by side is one state."""


def decimal_codec(scale: int) -> Codec:
    """Return how a decimal with `scale` decimals is stored."""

    def encode(value: Decimal | int) -> int:
        return scaled(value, scale)

    def rounded(value: Decimal | int) -> Decimal:
        return Decimal(scaled(value, scale)).scaleb(-scale)

    def numeric() -> Column:
        return Numeric(digits=(DIGITS, scale), default=None, null=True)

    exact = Codec(f"NUMERIC({DIGITS}, {scale})", numeric, rounded)
    return Codec(f"INT_SCALE_{scale}", lambda: ScaledDecimal(scale), encode, _unscale(scale), exact)


_BY_FIELD: Mapping[FieldType, Codec] = {
    "text": TEXT,
    "long_text": TEXT,
    "email": TEXT,
    "phone": TEXT,
    "url": TEXT,
    "country": TEXT,
    "language": TEXT,
    "choice": TEXT,
    "integer": INTEGER,
    "boolean": BOOLEAN,
    "date": DAY,
    "datetime": MOMENT,
    "duration": SPAN,
    "choices": CHOICES,
    "reference": REFERENCE,
    "file": FILE,
    "image": FILE,
    "json": JSON,
}


def codec(field: Field) -> Codec:
    """Return how the values of a field are stored."""
    return decimal_codec(field.scale) if field.type in ("decimal", "money") else _BY_FIELD[field.type]


def state_codec(process: Process) -> Codec:
    """Return how the states of a process are stored: the innermost one, or a list where some run side by side."""
    return STATES if process.parallel else TEXT


_BY_TYPE: Mapping[Type, Codec] = {BOOL: BOOLEAN, DATE: DAY, DATETIME: MOMENT, DURATION: SPAN, DYN: JSON}


def encode_type(value: Any, kind: Type, dialect: Dialect = "sqlite") -> Any:
    """Return the stored form of a value (not None) of an expression's type, to compare columns with.

    A decimal stays exact: an integer where it is whole, else text that the caller scales.
    """
    if isinstance(kind, RecordOf):
        return encode_reference(value)
    if isinstance(kind, ListOf):
        return encode_json(list(value))
    if kind == DECIMAL:
        return int(value) if value == int(value) else str(value)
    found = _BY_TYPE.get(kind)
    return value if found is None else found.on(dialect).encoded(value)
