"""Time: durations of the calendar, periods, and the moments before which something is older than a duration.

Months are added in the network's time zone and end at the month's last day (31 January + 1 month = 28 February). A
duration of several kinds is added in the order months, exact part, working days, working hours.
"""

from __future__ import annotations

import itertools
import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from definitions.duration import Duration
from definitions.expr.expression import Context

Unit = Literal["year", "month", "week", "day"]

_GO = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|us|µs|ns|m|s)")
_GO_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PLAIN = re.compile(r"([0-9]+) ?(m|h|d|w|months?|years?|working hours?|working days?)")


def parse_duration(text: str) -> Duration | None:
    """Return what a text says: `1h30m`, `-90s` as in CEL, or `3d`, `6 months`, `4 working hours` as in plain keys."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text)
    plain = _PLAIN.fullmatch(rest)
    if plain:
        return _calendar(sign * int(plain[1]), plain[2].rstrip("s"))
    parts = list(_GO.finditer(rest))
    if rest == "0":
        return Duration()
    if not parts or sum(len(part[0]) for part in parts) != len(rest):
        return None
    try:
        return Duration(exact=sign * sum((_go(part[1], part[2]) for part in parts), timedelta(0)))
    except OverflowError:
        return None


def _go(number: str, unit: str) -> timedelta:
    return timedelta(seconds=float(number) * _GO_SECONDS[unit])


def _calendar(count: int, unit: str) -> Duration | None:
    try:
        exact = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
        if unit in exact:
            return Duration(exact=count * exact[unit])
    except OverflowError:
        return None
    match unit:
        case "month":
            return Duration(months=count)
        case "year":
            return Duration(months=12 * count)
        case "working hour":
            return Duration(working_hours=count)
        case _:
            return Duration(working_days=count)


def plus(left: Duration, right: Duration) -> Duration:
    """Return both spans together."""
    return Duration(
        left.months + right.months,
        left.exact + right.exact,
        left.working_hours + right.working_hours,
        left.working_days + right.working_days,
    )


def negative(span: Duration) -> Duration:
    """Return the span in the other direction."""
    return Duration(-span.months, -span.exact, -span.working_hours, -span.working_days)


def order(left: Duration, right: Duration) -> int | None:
    """Return -1, 0 or 1; None where it depends on the day (a month against 30 days)."""
    difference = plus(left, negative(right))
    parts = (difference.months, difference.exact.total_seconds(), difference.working_hours, difference.working_days)
    if all(part == 0 for part in parts):
        return 0
    if all(part >= 0 for part in parts):
        return 1
    return -1 if all(part <= 0 for part in parts) else None


def later(moment: datetime, span: Duration, context: Context) -> datetime:
    """Return the moment `span` after `moment`, in UTC; raises OverflowError or ValueError beyond the calendar.

    So does a span of more working time than is counted (`definitions.duration.MOST_WORKING`).
    """
    if not span.is_countable:
        raise OverflowError
    if span.months:
        moment = _months_later(moment, span.months, context)
    moment += span.exact
    if span.working_days:
        moment = context.calendar.add_days(moment, span.working_days)
    if span.working_hours:
        moment = context.calendar.add_hours(moment, span.working_hours)
    return moment.astimezone(UTC)


def later_date(day: date, span: Duration, context: Context) -> date | None:
    """Return the day `span` after `day`, None when the span has hours; raises as `later` does."""
    if not span.is_countable:
        raise OverflowError
    if span.working_hours or span.exact % timedelta(days=1):
        return None
    day = _month_shifted(day, span.months) + span.exact
    if not span.working_days:
        return day
    noon = datetime.combine(day, time(12), context.timezone).astimezone(UTC)
    return local_date(context.calendar.add_days(noon, span.working_days), context)


def _months_later(moment: datetime, months: int, context: Context) -> datetime:
    local = moment.astimezone(context.timezone)
    day = _month_shifted(local.date(), months)
    return datetime.combine(day, local.time(), context.timezone).astimezone(UTC)


def _month_shifted(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def local_date(moment: datetime, context: Context) -> date:
    """Return the day of a moment in the network's time zone."""
    return moment.astimezone(context.timezone).date()


def start_of(day: date, context: Context) -> datetime:
    """Return the moment at which a day begins in the network's time zone, in UTC."""
    return datetime.combine(day, time(0), context.timezone).astimezone(UTC)


def first_day(day: date, unit: Unit) -> date:
    """Return the first day of the period around `day`; weeks begin on Monday."""
    match unit:
        case "year":
            return day.replace(month=1, day=1)
        case "month":
            return day.replace(day=1)
        case "week":
            return day - timedelta(days=day.weekday())
        case _:
            return day


Interval = tuple[datetime, datetime]
"""The moments from the first (inclusive) to the second (exclusive)."""

BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
END = datetime(9999, 12, 30, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_MARGIN = timedelta(days=5)
_REACHES = (timedelta(days=16), timedelta(days=64))


def standing(moment: datetime, span: Duration, context: Context) -> int:
    """Return how `moment + span` stands to now: -1 before it, 0, 1 after it (also beyond the end of the calendar)."""
    try:
        reached = later(moment, span, context)
    except (OverflowError, ValueError):
        forward = max(span.months, span.exact / _TICK, span.working_days, span.working_hours) > 0
        return 1 if forward else -1
    return (reached > context.now) - (reached < context.now)


def reached(span: Duration, context: Context, *, inclusive: bool) -> list[Interval]:
    """Return the moments t with `t + span` before now (or at now), earliest first.

    They are one stretch up to a cutoff, but for months: on 28 February at noon, 29 January 11:00 is a month ago and 28
    January 13:00 is not yet.
    """
    limit = 1 if inclusive else 0

    def past(moment: datetime) -> bool:
        return standing(moment, span, context) < limit

    if span.is_exact:
        return [(BEGINNING, _earlier(context.now, span.exact) + (_TICK if inclusive else timedelta(0)))]
    near = _near(span, context)
    first, last = _bracket(past, near)
    found: list[Interval] = [(BEGINNING, first)]
    for start, end in _stretches(first, last, span, context):
        stop = _turn(past, start, end)
        if stop == start:
            continue
        if found[-1][1] == start:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return found


def _earlier(moment: datetime, span: timedelta) -> datetime:
    try:
        return min(max(moment - span, BEGINNING), END)
    except OverflowError:
        return BEGINNING if span > timedelta(0) else END


def _near(span: Duration, context: Context) -> datetime:
    try:
        return later(context.now, negative(span), context)
    except (OverflowError, ValueError):
        return BEGINNING if standing(BEGINNING, span, context) > 0 else END


def _bracket(past: Callable[[datetime], bool], near: datetime) -> Interval:
    """Return two moments around `near`: everything before the first is past, nothing after the second is."""
    low, high = _earlier(near, _MARGIN), _earlier(near, -_MARGIN)
    for reach in _REACHES:
        if past(low):
            break
        low = _earlier(near, reach)
    for reach in _REACHES:
        if not past(high):
            break
        high = _earlier(near, -reach)
    return low, high


def _stretches(first: datetime, last: datetime, span: Duration, context: Context) -> list[Interval]:
    """Cut a time at the network's midnights and changes of clock: within a stretch later is never earlier.

    Working days look at the day that the exact part before them leads to: its midnights are cuts too, give or
    take the hour of a change of clock.
    """
    cuts = {first, last}
    hours = span.exact % timedelta(days=1)
    shifts = [hours + timedelta(hours=each) for each in (-1, 0, 1)] if span.working_days and span.exact else []
    day, midnight = local_date(first, context), first
    while midnight < last:
        day += timedelta(days=1)
        start, midnight = midnight, start_of(day, context)
        change = _clock_change(start, midnight, context)
        cuts |= {midnight, *(midnight - shift for shift in shifts), *(() if change is None else (change,))}
    return list(itertools.pairwise(sorted(cut for cut in cuts if first <= cut <= last)))


def _clock_change(start: datetime, end: datetime, context: Context) -> datetime | None:
    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(context.timezone).utcoffset()

    before = offset(start)
    if offset(end - _TICK) == before:
        return None
    return _turn(lambda moment: offset(moment) == before, start, end)


def _turn(holds: Callable[[datetime], bool], start: datetime, end: datetime) -> datetime:
    """Return the first moment of a stretch where what held no longer holds (`end` when it always does)."""
    if not holds(start):
        return start
    if holds(end - _TICK):
        return end
    low, high = 0, (end - start) // _TICK
    while high - low > 1:
        middle = (low + high) // 2
        if holds(start + middle * _TICK):
            low = middle
        else:
            high = middle
    return start + high * _TICK


def first_date_from(moment: datetime, context: Context) -> date:
    """Return the first day that begins at `moment` or after it."""
    day = local_date(moment, context)
    return day if start_of(day, context) >= moment else day + timedelta(days=1)
