"""Durations against each other, and the moments that are older than a duration."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from definitions.duration import Duration
from definitions.expr import Context, periods
from tests.definitions.expr.world import CONTEXT, NOW, PARIS


class LongHolidays:
    """A calendar that works on the first day of a month only, and never at any hour."""

    def add_hours(self, start: datetime, hours: int) -> datetime:
        """Refuse: there is no working time."""
        raise OverflowError(start, hours)

    def add_days(self, start: datetime, days: int) -> datetime:
        """Walk to the first days of months."""
        local, left = start.astimezone(PARIS), abs(days)
        day = local.date()
        while left:
            day += timedelta(days=1 if days > 0 else -1)
            left -= day.day == 1
        return datetime.combine(day, local.time(), PARIS).astimezone(UTC)


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [
        (Duration(), Duration(), 0),
        (Duration(exact=timedelta(1)), Duration(exact=timedelta(2)), -1),
        (Duration(months=2), Duration(months=1), 1),
        (Duration(months=1), Duration(exact=timedelta(40)), None),
        (Duration(working_days=1), Duration(working_hours=1), None),
    ],
)
def test_durations_have_an_order_where_it_does_not_depend_on_the_day(
    left: Duration, right: Duration, wanted: int | None
) -> None:
    assert periods.order(left, right) == wanted


@pytest.mark.parametrize(
    ("span", "end"),
    [
        (Duration(months=120_000), periods.BEGINNING),
        (Duration(months=-120_000), periods.END),
        (Duration(exact=timedelta.max), periods.BEGINNING),
        (Duration(exact=timedelta.min), periods.END),
        (Duration(exact=timedelta(hours=1)), NOW - timedelta(hours=1)),
        (Duration(months=1), datetime(2026, 2, 15, 12, 30, tzinfo=UTC)),
        (Duration(working_hours=4), datetime(2026, 3, 14, 16, 30, tzinfo=UTC)),
    ],
)
def test_the_moments_before_a_cutoff_are_past(span: Duration, end: datetime) -> None:
    assert periods.reached(span, CONTEXT, inclusive=False) == [(periods.BEGINNING, end)]


def test_at_the_end_of_a_short_month_the_longer_days_of_the_month_before_are_split() -> None:
    now = datetime(2026, 2, 28, 12, tzinfo=UTC)
    found = periods.reached(Duration(months=1), Context(now, PARIS, CONTEXT.calendar), inclusive=False)
    assert [(start.day, start.hour, end.day, end.hour) for start, end in found[1:]] == [
        (28, 23, 29, 12),
        (29, 23, 30, 12),
        (30, 23, 31, 12),
    ]
    assert found[0] == (periods.BEGINNING, datetime(2026, 1, 28, 12, tzinfo=UTC))


@pytest.mark.parametrize("days", [1, -1, 2])
def test_long_stretches_without_work_are_bridged(days: int) -> None:
    context = Context(NOW, PARIS, LongHolidays())
    span = Duration(working_days=days)
    found = periods.reached(span, context, inclusive=False)
    for shift in range(-100, 100):
        moment = NOW + timedelta(days=shift, hours=3)
        past = any(start <= moment < end for start, end in found)
        assert past == (periods.standing(moment, span, context) < 0), moment


def test_a_calendar_without_working_time_makes_nothing_old() -> None:
    context = Context(NOW, PARIS, LongHolidays())
    assert periods.standing(NOW, Duration(working_hours=1), context) == 1
    assert periods.reached(Duration(working_hours=1), context, inclusive=True) == [(periods.BEGINNING,) * 2]


def test_a_day_begins_when_the_network_says_so() -> None:
    assert periods.start_of(date(2026, 7, 1), CONTEXT) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert periods.first_date_from(datetime(2026, 6, 30, 22, tzinfo=UTC), CONTEXT) == date(2026, 7, 1)
    assert periods.first_date_from(datetime(2026, 6, 30, 22, 0, 1, tzinfo=UTC), CONTEXT) == date(2026, 7, 2)
