"""Time in every zone, over the days on which clocks are changed: working time, calendar spans, schedules, catch-up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from definitions.duration import Duration
from definitions.expr.expression import Context
from definitions.expr.periods import later, local_date, start_of
from definitions.spec.network import Calendar
from models.calendar import OfficeCalendar
from tests.networks import edited
from tests.workflows.conftest import MakeStage
from tests.workflows.test_automations import automation, staged
from workflows.schedules import last_tick, next_tick

pytestmark = pytest.mark.anyio

ZONES = (
    *("Europe/Paris", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca"),
    *("Asia/Tehran", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "UTC"),
)
"""Zones that change by an hour, by half of one, at midnight, in the other season, not at all; one skipped a day."""
DAYS = Calendar(days=("mon", "tue", "wed", "thu", "fri", "sat", "sun")).days
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2010, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
spans = st.integers(-200, 200)


@st.composite
def offices(draw: st.DrawFn) -> OfficeCalendar:
    """Working days and hours in a zone; the days' hours lie between the clock changes of most zones, or over them."""
    days = draw(st.sets(st.sampled_from(DAYS), min_size=1))
    opens = draw(st.integers(0, 23 * 60))
    closes = draw(st.integers(opens + 30, 24 * 60))
    return OfficeCalendar(Calendar(tuple(days), opens, closes), draw(zones))


@given(offices(), moments, st.integers(0, 120), st.integers(0, 120))
def test_working_hours_add_up_and_go_on(office: OfficeCalendar, start: datetime, some: int, more: int) -> None:
    reached = office.add_hours(start, some)
    assert reached >= start
    assert office.add_hours(reached, more) == office.add_hours(start, some + more)
    if some:
        local = reached.astimezone(office.timezone)
        opened = (local - timedelta(microseconds=1)).date()
        assert office.works_on(opened) or office.works_on(local.date())


@given(offices(), moments, st.integers(1, 120))
def test_working_hours_are_as_many_as_the_office_was_open(office: OfficeCalendar, start: datetime, hours: int) -> None:
    reached = office.add_hours(start, hours)
    day, last = (each.astimezone(office.timezone).date() for each in (start, reached))
    open_for = timedelta(0)
    while day <= last:
        if office.works_on(day):
            opens, closes = (office._at(day, at) for at in (office.calendar.opens, office.calendar.closes))
            open_for += max(min(closes, reached) - max(opens, start), timedelta(0))
        day += timedelta(days=1)
    assert open_for == timedelta(hours=hours)


@given(offices(), moments, spans)
def test_working_days_end_on_one_at_the_same_time_of_the_wall_clock(
    office: OfficeCalendar, start: datetime, days: int
) -> None:
    assume(days)
    reached, local = office.add_days(start, days), start.astimezone(office.timezone)
    there = reached.astimezone(office.timezone)
    wall = datetime.combine(there.date(), local.time(), office.timezone)
    assert reached == wall.astimezone(UTC)
    step = 1 if days > 0 else -1
    passed, day = 0, local.date()
    goal = local.date()
    for _ in range(abs(days)):
        goal = office.next_working(goal, step)
    while day != goal:
        day += timedelta(days=step)
        passed += office.works_on(day)
    assert passed == abs(days)


@given(zones, moments, st.integers(0, 48))
def test_months_keep_the_day_and_the_time_or_end_with_the_month(zone: ZoneInfo, start: datetime, months: int) -> None:
    context = Context(start, zone, OfficeCalendar(Calendar(), zone))
    local = start.astimezone(zone)
    reached = later(start, Duration(months=months), context).astimezone(zone)
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    last = ((date(year, month + 1, 1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)).day
    wanted = datetime(year, month + 1, min(local.day, last), tzinfo=zone).replace(
        hour=local.hour, minute=local.minute, second=local.second, microsecond=local.microsecond
    )
    assert reached.astimezone(UTC) == wanted.astimezone(UTC) or local.fold


@given(zones, st.dates(date(2010, 1, 1), date(2036, 12, 31)))
def test_the_days_of_a_zone_follow_each_other_without_a_hole(zone: ZoneInfo, day: date) -> None:
    context = Context(datetime(2026, 1, 1, tzinfo=UTC), zone, OfficeCalendar(Calendar(), zone))
    begins, ends = (start_of(each, context) for each in (day, day + timedelta(days=1)))
    assume(begins < ends)  # Apia went without the 30th of December 2011
    assert local_date(begins, context) == local_date(ends - timedelta(microseconds=1), context) == day
    assert timedelta(hours=22) < ends - begins < timedelta(hours=26)


CRONS = (
    *("30 2 * * *", "0 0 * * *", "59 23 * * *", "*/20 1-3 * * *"),
    *("0 * * * *", "15 1 * * 0", "0 8 1 * *", "0 9 * * 1-5"),
)


@given(zones, st.sampled_from(CRONS), moments)
def test_ticks_come_in_order_and_each_is_found_from_both_sides(zone: ZoneInfo, cron: str, moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    following = next_tick(cron, zone, moment)
    assert following > moment
    assert next_tick(cron, zone, following - timedelta(seconds=1)) == following
    assert last_tick(cron, zone, following) == following
    before = last_tick(cron, zone, moment)
    assert before <= moment
    assert next_tick(cron, zone, before) == following or before == moment


@given(zones, st.dates(date(2011, 1, 1), date(2036, 12, 1)))
def test_what_ticks_each_day_ticks_once_a_day(zone: ZoneInfo, day: date) -> None:
    context = Context(datetime(2026, 1, 1, tzinfo=UTC), zone, OfficeCalendar(Calendar(), zone))
    begins, ends = start_of(day, context), start_of(day + timedelta(days=3), context)
    assume(day.year > 2011)
    found, tick = [], begins - timedelta(seconds=1)
    while (tick := next_tick("30 2 * * *", zone, tick)) < ends:
        found.append(local_date(tick, context))
    assert found == [day + timedelta(days=number) for number in range(3)]


@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        ("Europe/Paris", "2026-03-26T12:00"),
        ("America/New_York", "2026-10-28T12:00"),
        ("Australia/Lord_Howe", "2026-04-01T12:00"),
    ],
)
@pytest.mark.parametrize(("catch_up", "made_up"), [("all", 9), ("last", 1), ("none", 0)])
async def test_ticks_that_were_missed_over_a_change_of_the_clock_are_made_up_for_once(
    make_stage: MakeStage, zone: str, begin: str, catch_up: str, made_up: int
) -> None:
    when = f'{{every: {{cron: "30 2 * * *", catch_up: {catch_up}}}}}'
    files = automation(when, "  - create: {entity: company, values: {name: Tic}}")
    stage, _ = await staged(make_stage, edited(files, ("timezone: Europe/Paris", f"timezone: {zone}")))
    stage.clock.moment = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    await stage.worker.run_due()
    before = len(await stage.rows("company", "id"))
    stage.clock.forward(timedelta(days=9))
    for _ in range(2):
        await stage.worker.run_due()
        assert len(await stage.rows("company", "id")) - before == made_up
