from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from definitions.spec.network import Calendar
from models.calendar import OfficeCalendar, office

PARIS = ZoneInfo("Europe/Paris")
OFFICE = office(Calendar(closes=18 * 60 + 30, holidays="FR"), "Europe/Paris")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-23T10:00", 0, "2026-11-23T10:00"),
        ("2026-11-23T10:00", 4, "2026-11-23T14:00"),
        ("2026-11-23T10:00", 10, "2026-11-24T10:30"),
        ("2026-11-23T09:00", 9, "2026-11-23T18:00"),
        ("2026-11-27T18:00", 1, "2026-11-30T09:30"),
        ("2026-11-28T12:00", 1, "2026-11-30T10:00"),
        ("2026-11-23T03:00", 1, "2026-11-23T10:00"),
        ("2026-11-23T20:00", 1, "2026-11-24T10:00"),
        ("2026-07-13T18:00", 1, "2026-07-15T09:30"),
        ("2026-03-27T18:00", 1, "2026-03-30T09:30"),
        ("2026-11-24T10:30", -10, "2026-11-23T10:00"),
        ("2026-11-30T09:30", -1, "2026-11-27T18:00"),
        ("2026-11-29T12:00", -1, "2026-11-27T17:30"),
        ("2026-11-23T09:00", 19, "2026-11-24T18:30"),
    ],
)
def test_working_hours_pass_only_while_the_office_is_open(start: str, hours: int, end: str) -> None:
    assert OFFICE.add_hours(at(start), hours) == at(end)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-23T10:00", 0, "2026-11-23T10:00"),
        ("2026-11-23T10:00", 1, "2026-11-24T10:00"),
        ("2026-11-27T10:00", 1, "2026-11-30T10:00"),
        ("2026-11-28T10:00", 1, "2026-11-30T10:00"),
        ("2026-12-24T10:00", 1, "2026-12-28T10:00"),
        ("2026-11-30T10:00", -1, "2026-11-27T10:00"),
        ("2026-03-27T10:00", 3, "2026-04-01T10:00"),
        ("2026-10-23T23:30", 1, "2026-10-26T23:30"),
    ],
)
def test_working_days_keep_the_time_of_the_wall_clock(start: str, days: int, end: str) -> None:
    assert OFFICE.add_days(at(start), days) == at(end)


def test_the_office_around_the_clock_loses_an_hour_when_the_clocks_go_forward() -> None:
    always = OfficeCalendar(Calendar(("sat", "sun", "mon"), 0, 24 * 60), PARIS)
    assert always.add_hours(at("2026-03-28T00:00"), 47) == at("2026-03-30T00:00")


def test_holidays_are_those_of_the_country() -> None:
    assert not OFFICE.works_on(date(2026, 7, 14))
    assert office(Calendar(holidays="BE"), "Europe/Brussels").works_on(date(2026, 7, 14))
    assert office(Calendar(), "Europe/Paris").works_on(date(2026, 12, 25))


@pytest.mark.parametrize("calendar", [Calendar(days=()), Calendar(opens=600, closes=600)])
def test_a_calendar_that_never_opens_says_so_instead_of_searching_for_ever(calendar: Calendar) -> None:
    with pytest.raises(OverflowError):
        OfficeCalendar(calendar, PARIS).add_hours(at("2026-11-23T10:00"), 1)


def test_days_without_working_days_overflow() -> None:
    with pytest.raises(OverflowError):
        OfficeCalendar(Calendar(days=()), PARIS).add_days(at("2026-11-23T10:00"), -1)
