"""Working time: the network's days and hours, less the holidays of its country, in its time zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from definitions.spec.network import Calendar

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FAR = 400
"""Days without a single working day after which a calendar is taken to have none."""


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


@dataclass(frozen=True, slots=True)
class OfficeCalendar:
    """Adds working hours and days to moments; hours and days are the network's, on the wall clock of its zone.

    Raises `OverflowError` where a calendar has no working time, or the result is beyond what a datetime holds.
    """

    calendar: Calendar
    timezone: ZoneInfo

    def works_on(self, day: date) -> bool:
        """Whether the office is open on this day."""
        if _WEEKDAYS[day.weekday()] not in self.calendar.days:
            return False
        country = self.calendar.holidays
        return country is None or day not in _holidays(country, day.year)

    def add_hours(self, start: datetime, hours: int) -> datetime:
        """Return the moment `hours` working hours after `start` (before it when negative).

        A full last day ends when the office closes, not when it opens again.
        """
        left = timedelta(hours=abs(hours))
        if not left:
            return start
        forward = hours > 0
        for opens, closes in self._windows(start.astimezone(self.timezone).date(), 1 if forward else -1):
            begin, end = (max(opens, start), closes) if forward else (opens, min(closes, start))
            span = end - begin
            if span <= timedelta(0):
                continue
            if span >= left:
                return begin + left if forward else end - left
            left -= span
        raise OverflowError("a calendar without working time")

    def add_days(self, start: datetime, days: int) -> datetime:
        """Return the moment `days` working days after `start` (before it when negative), at the same time of day."""
        if not days:
            return start
        local = start.astimezone(self.timezone)
        day = _days_later(self, local.date(), days)
        return datetime.combine(day, local.time(), self.timezone).astimezone(UTC)

    def next_working(self, day: date, step: int) -> date:
        """Return the next day on which the office is open, the one before with a step of -1."""
        for _ in range(_FAR):
            day += timedelta(days=step)
            if self.works_on(day):
                return day
        raise OverflowError("a calendar without working days")

    def _windows(self, day: date, step: int) -> Iterator[tuple[datetime, datetime]]:
        """Yield opening hours in UTC, from `day` on."""
        if not self.works_on(day):
            day = self.next_working(day, step)
        while self.calendar.opens < self.calendar.closes:
            yield self._at(day, self.calendar.opens), self._at(day, self.calendar.closes)
            day = self.next_working(day, step)

    def _at(self, day: date, minutes: int) -> datetime:
        """Return the wall clock's `minutes` after midnight; past the end of the day is the next midnight."""
        if minutes >= 24 * 60:
            return self._at(day + timedelta(days=1), 0)
        return datetime.combine(day, time(minutes // 60, minutes % 60), self.timezone).astimezone(UTC)


@lru_cache(maxsize=2048)
def _days_later(of: OfficeCalendar, day: date, days: int) -> date:
    """Return the day so many working days later; moments of one day are asked about again and again."""
    step = 1 if days > 0 else -1
    for _ in range(abs(days)):
        day = of.next_working(day, step)
    return day


def office(calendar: Calendar, timezone: str) -> OfficeCalendar:
    """Return the working calendar of a network's definition."""
    return OfficeCalendar(calendar, ZoneInfo(timezone))
