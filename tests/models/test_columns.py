"""Values come back from the database as they went in, and sort there as they do in memory."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.duration import Duration
from definitions.expr.types import BOOL, DATE, DATETIME, DECIMAL, DURATION, INT, STRING, ListOf, RecordOf, Type
from definitions.problems import NOWHERE
from definitions.spec.entity import Field, FieldType
from definitions.text import plain
from models.columns import codec, encode_type

PARIS = timezone(timedelta(hours=2))
EXAMPLES: list[tuple[FieldType, Any, Any]] = [
    ("text", "Élodie", "Élodie"),
    ("long_text", "a\nb", "a\nb"),
    ("integer", -7, -7),
    ("decimal", Decimal("3.14"), 314),
    ("money", Decimal("-0.10"), -10),
    ("boolean", False, 0),
    ("boolean", True, 1),
    ("date", date(2026, 3, 2), "2026-03-02"),
    ("datetime", datetime(2026, 3, 2, 11, tzinfo=UTC), "2026-03-02 11:00:00.000000+00:00"),
    ("duration", Duration(exact=timedelta(days=3)), 259_200_000_000),
    ("duration", Duration(months=36, working_days=2), "[36, 0, 0, 2]"),
    ("email", "a@b.fr", "a@b.fr"),
    ("phone", "+33612345678", "+33612345678"),
    ("url", "https://exemple.fr", "https://exemple.fr"),
    ("country", "FR", "FR"),
    ("language", "fr", "fr"),
    ("choice", "site", "site"),
    ("choices", ("home", "beauty"), '["home","beauty"]'),
    ("reference", {"id": "x"}, "x"),
    ("file", {"name": "é"}, '{"name":"é"}'),
    ("image", {"name": "é"}, '{"name":"é"}'),
    ("json", [1, None, {"a": "b"}], '[1,null,{"a":"b"}]'),
]


def field(kind: FieldType, **more: Any) -> Field:
    return Field("f", kind, plain("f"), NOWHERE, **more)


def round_trip(kind: FieldType, value: Any, **more: Any) -> tuple[Any, Any]:
    """Return the stored form that SQLite gives back, and the value that it is decoded to."""
    found = codec(field(kind, **more))
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE TABLE t (c {found.declared})")
    connection.execute("INSERT INTO t VALUES (?)", [found.encode(value) if found.encode else value])
    stored = connection.execute("SELECT c FROM t").fetchone()[0]
    connection.close()
    return stored, found.decode(stored) if found.decode else stored


@pytest.mark.parametrize(("kind", "value", "stored"), EXAMPLES)
def test_a_value_is_stored_in_its_form_and_comes_back(kind: FieldType, value: Any, stored: Any) -> None:
    assert round_trip(kind, value) == (stored, value)


def test_every_type_has_an_example() -> None:
    assert {kind for kind, _, _ in EXAMPLES} == set(get_args(FieldType))


@given(st.datetimes(timezones=st.sampled_from([UTC, PARIS])), st.datetimes(timezones=st.just(UTC)))
def test_moments_keep_their_microseconds_and_sort_as_text(one: datetime, other: datetime) -> None:
    encode = codec(field("datetime")).encode
    if one.astimezone(UTC).year < 1000 or other.year < 1000 or encode is None:
        return
    assert round_trip("datetime", one)[1] == one
    assert (encode(one) < encode(other)) == (one < other)


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_decimals_are_exact(digits: int, scale: int) -> None:
    value = Decimal(digits).scaleb(-scale)
    assert round_trip("decimal", value, scale=scale) == (digits, value)


def test_a_decimal_with_more_places_is_rounded_half_to_even() -> None:
    assert [round_trip("money", Decimal(text))[1] for text in ("0.125", "0.135")] == [Decimal("0.12"), Decimal("0.14")]


def test_json_keeps_what_json_has_no_form_for_as_text() -> None:
    value = {
        "more": MappingProxyType({"a": 1}),
        "at": datetime(2026, 3, 2, tzinfo=UTC),
        "on": date(2026, 3, 2),
        "sum": Decimal("1.50"),
        "set": {2, 1},
    }
    stored, _ = round_trip("json", {**value, "for": Duration(months=1)})
    assert stored == (
        '{"more":{"a":1},'
        '"at":"2026-03-02 00:00:00.000000+00:00","on":"2026-03-02","sum":"1.50","set":[1,2],"for":"[1, 0, 0, 0]"}'
    )


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        (True, BOOL, 1),
        (date(2026, 3, 2), DATE, "2026-03-02"),
        (datetime(2026, 3, 2, tzinfo=UTC), DATETIME, "2026-03-02 00:00:00.000000+00:00"),
        (Duration(exact=timedelta(seconds=1)), DURATION, 1_000_000),
        (Decimal("12.00"), DECIMAL, 12),
        (Decimal("12.50"), DECIMAL, "12.50"),
        ({"id": "x"}, RecordOf("company"), "x"),
        (("a",), ListOf(STRING), '["a"]'),
        (7, INT, 7),
        ("a", STRING, "a"),
    ],
)
def test_what_expressions_compare_with_is_stored_alike(value: Any, kind: Type, stored: Any) -> None:
    assert encode_type(value, kind) == stored
