"""What people type becomes values, and values become what stands in inputs."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import FormData

from admin.formats import Formats
from admin.parts.columns import Column, Kind
from admin.parts.inputs import Question, answers, build, raw_from, raw_of, read_datetime, read_number
from admin.parts.reader import Reader
from definitions.duration import Duration
from definitions.problems import NOWHERE
from definitions.spec.network import Network
from definitions.text import plain

PARIS = ZoneInfo("Europe/Paris")
FORMATS = Formats("fr", PARIS, "EUR", datetime(2026, 3, 2, 11, tzinfo=UTC))


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("12", "12"), ("-12", "-12"), ("+3", "+3"), ("12,5", "12.5"), ("12.5", "12.5"), (".5", ".5"),
        ("1 234,50", "1234.50"), ("1 234", "1234"), ("1.234,50", "1234.50"), ("1,234.50", "1234.50"),
        ("1.234.567", "1234567"), ("1'234.5", "1234.5"), ("1’234", "1234"), ("12,", "12."),
    ],
)  # fmt: skip
def test_numbers_are_read_in_every_european_way(typed: str, plain: str) -> None:
    assert read_number(typed) == plain
    Decimal(plain)


@pytest.mark.parametrize("typed", ["", "x", "1e5", "12 €", "--1", "1-2", "NaN", "٣", "1,2,x", "²"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(typed)}$"):
        read_number(typed)


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-03-04T10:30", datetime(2026, 3, 4, 9, 30, tzinfo=UTC)),
        ("2026-07-04T10:30", datetime(2026, 7, 4, 8, 30, tzinfo=UTC)),
        ("2026-07-04", datetime(2026, 7, 3, 22, tzinfo=UTC)),
        ("2026-07-04T10:30+00:00", datetime(2026, 7, 4, 10, 30, tzinfo=UTC)),
    ],
)
def test_times_are_those_of_the_network(typed: str, moment: datetime) -> None:
    assert read_datetime(typed, PARIS) == moment


@pytest.mark.parametrize(
    ("kind", "value", "raw"),
    [
        ("text", None, ()),
        ("text", "Lyon", ("Lyon",)),
        ("boolean", True, ("true",)),
        ("boolean", False, ("false",)),
        ("integer", 3, ("3",)),
        ("money", Decimal("1E+3"), ("1000",)),
        ("date", date(2026, 3, 4), ("2026-03-04",)),
        ("datetime", datetime(2026, 3, 4, 9, 30, tzinfo=UTC), ("2026-03-04T10:30",)),
        ("choices", ("a", "b"), ("a", "b")),
        ("reference", {"id": "7", "name": "x"}, ("7",)),
        ("phone", "+33612345678", ("06 12 34 56 78",)),
        ("duration", Duration(exact=timedelta(days=3)), ("3d",)),
        ("duration", Duration(exact=timedelta(days=14)), ("2w",)),
        ("duration", Duration(exact=timedelta(minutes=90)), ("90m",)),
        ("duration", Duration(months=6), ("6 months",)),
        ("duration", Duration(months=36), ("3 years",)),
        ("duration", Duration(working_days=2), ("2 working days",)),
    ],
)
def test_values_stand_in_inputs_as_browsers_want_them(kind: Kind, value: Any, raw: tuple[str, ...]) -> None:
    assert raw_of(Column("x", "X", kind), value, FORMATS) == raw


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("text", (" Lyon ",), "Lyon"),
        ("text", (), None),
        ("long_text", ("a\r\nb",), "a\nb"),
        ("integer", ("1 200",), "1200"),
        ("date", ("2026-03-04",), date(2026, 3, 4)),
        ("boolean", ("false",), False),
        ("boolean", (), None),
        ("choices", ("a", "b"), ("a", "b")),
        ("choices", (), ()),
    ],
)
def test_answers_are_values(kind: Kind, raw: tuple[str, ...], value: Any) -> None:
    asked = Question("x", Column("x", "X", kind), required=False)
    assert answers({"x": raw}, (asked,), PARIS) == ({"x": value}, {})


@pytest.mark.parametrize("kind", ["integer", "decimal", "money", "date", "datetime"])
def test_what_cannot_be_read_has_a_sentence(kind: Kind) -> None:
    asked = Question("x", Column("x", "X", kind), required=False)
    values, wrong = answers({"x": ("soon",)}, (asked,), PARIS)
    assert values == {}
    assert str(wrong["x"]).startswith("Write a")


SPAN = Question("x", Column("x", "X", "duration"), required=False)


@pytest.mark.parametrize(
    ("sent", "raw"),
    [
        (("3", "d"), ("3d",)),
        (("36", "months"), ("36 months",)),
        (("2", "working days"), ("2 working days",)),
        (("d",), ()),
        (("3d",), ("3d",)),
        ((), ()),
    ],
)
def test_a_length_of_time_comes_as_a_number_and_a_unit(sent: tuple[str, ...], raw: tuple[str, ...]) -> None:
    assert raw_from(FormData([("x", each) for each in sent]), (SPAN,)) == {"x": raw}


@pytest.mark.parametrize(
    ("raw", "widget", "parts"),
    [
        ((), "span", ("", "d")),
        (("36 months",), "span", ("36", "months")),
        (("2w",), "span", ("2", "w")),
        (("6 months 2 working days",), "line", ("6 months 2 working days",)),
        (("soon",), "line", ("soon",)),
    ],
)
def test_a_length_of_time_is_asked_as_a_number_and_a_unit(
    raw: tuple[str, ...], widget: str, parts: tuple[str, ...]
) -> None:
    made = build(SPAN, raw, Reader(Network("n", plain("N"), NOWHERE), FORMATS), {})
    assert (made.widget, made.raw) == (widget, parts)
