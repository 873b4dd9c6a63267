"""Values written for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel.numbers import format_decimal

from admin.formats import Formats, own_name

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday, ten in Paris."""
FRENCH = Formats("fr", ZoneInfo("Europe/Paris"), "EUR", NOW)
ENGLISH = Formats("en", ZoneInfo("Europe/Paris"), "EUR", NOW)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (FRENCH.date(date(2026, 11, 3)), "3 nov. 2026"),
        (FRENCH.datetime(NOW), "23 nov. 2026, 10:00"),
        (FRENCH.day(NOW), "Aujourd’hui"),
        (FRENCH.day(NOW - timedelta(days=1)), "Hier"),
        (FRENCH.day(NOW - timedelta(days=2)), "Samedi 21 novembre"),
        (FRENCH.day(date(2025, 1, 1)), "Mercredi 1er janvier 2025"),
        (FRENCH.date(date(2026, 12, 1)), "1er déc. 2026"),
        (FRENCH.date(date(2026, 12, 11)), "11 déc. 2026"),
        (ENGLISH.date(date(2026, 12, 1)), "1 Dec 2026"),
        (FRENCH.due(NOW), "10:00"),
        (FRENCH.due(date(2026, 11, 23)), "aujourd’hui"),
        (FRENCH.due(NOW - timedelta(days=3)), "ven. 20"),
        (FRENCH.due(NOW - timedelta(days=12)), "11 nov."),
        (FRENCH.due(date(2027, 1, 4)), "4 janv. 2027"),
        (FRENCH.ago(NOW - timedelta(seconds=20)), "à l’instant"),
        (FRENCH.ago(NOW - timedelta(days=3)), "il y a 3 jours"),
        (FRENCH.money(Decimal("1640")), "1\u202f640\u00a0€"),
        (FRENCH.money(Decimal("1640.5")), "1\u202f640,50\u00a0€"),
        (FRENCH.percent(0.125), "12,5\u00a0%"),
        (FRENCH.number(2026), "2026"),
        (FRENCH.number(Decimal("2026.5")), "2\u202f026,5"),
        (FRENCH.number(1234567), "1\u202f234\u202f567"),
        (FRENCH.phone("+33639981234"), "06 39 98 12 34"),
        (FRENCH.phone("+32470123456"), "+32 470 12 34 56"),
        (FRENCH.phone("none"), "none"),
        (FRENCH.country("BE"), "Belgique"),
        (FRENCH.country("XX"), "XX"),
        (FRENCH.language_name("en"), "Anglais"),
        (FRENCH.boolean(True), "Oui"),
        (ENGLISH.money(Decimal("1640")), "€1,640"),
        (ENGLISH.percent(0.125), "12.5%"),
        (ENGLISH.date(date(2026, 11, 3)), "3 Nov 2026"),
        (ENGLISH.boolean(False), "No"),
        (own_name("fr"), "Français"),
    ],
)
def test_values_read_as_people_write_them(written: str, expected: str) -> None:
    assert written == expected


def test_nothing_is_written_as_nothing() -> None:
    absent = [
        FRENCH.date(None),
        FRENCH.time(None),
        FRENCH.datetime(None),
        FRENCH.day(None),
        FRENCH.due(None),
        FRENCH.ago(None),
        FRENCH.number(None),
        FRENCH.percent(None),
        FRENCH.money(None),
        FRENCH.phone(None),
        FRENCH.country(None),
        FRENCH.language_name(None),
        FRENCH.boolean(None),
    ]
    assert set(absent) == {""}


def test_midnight_belongs_to_the_day_where_the_network_is() -> None:
    assert FRENCH.day_of(datetime(2026, 11, 22, 23, 30, tzinfo=UTC)) == date(2026, 11, 23)


@pytest.mark.parametrize("value", ["1", "1.0", "1.00", "1E+0", "0.10", "0.1", "-0.0", "0", "1000.50", "1000.5"])
def test_what_was_written_before_changes_nothing(value: str) -> None:
    before = Formats("fr", ZoneInfo("Europe/Paris"), "EUR", NOW)
    for other in (1, 1.0, 0, Decimal("1"), Decimal("0.1"), Decimal("1000.500")):  # some are equal to the value
        assert before.number(other)
        assert before.money(other)
    number = Decimal(value)
    assert FRENCH.number(number) == format_decimal(number or 0, locale="fr")
    assert ENGLISH.number(number) == format_decimal(number or 0, locale="en_GB")
    decimals = "" if number == int(number) else "50" if number > 1 else "10"
    assert FRENCH.money(number).partition(",")[2].removesuffix("\u00a0€") == decimals


def test_an_hour_is_the_one_where_the_network_is() -> None:
    moments = (NOW, NOW.replace(month=7), datetime(1, 1, 2, tzinfo=UTC), NOW.replace(hour=0, minute=5))
    assert [FRENCH.time(moment) for moment in moments] == ["10:00", "11:00", "00:09", "01:05"]
    assert Formats("fr", ZoneInfo("America/Montreal"), "EUR", NOW).time(NOW) == "04:00"
