"""Durations as the language has them: calendar months, exact time and working time side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

MOST_WORKING = 10_000
"""So many working hours, or days, a written duration may have: they are counted one by one in the calendar."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A span: whole calendar months, an exact part, and working hours or days of the network's calendar."""

    months: int = 0
    exact: timedelta = timedelta(0)
    working_hours: int = 0
    working_days: int = 0

    @property
    def is_exact(self) -> bool:
        """Whether the span is the same number of seconds wherever it is added."""
        return not (self.months or self.working_hours or self.working_days)

    @property
    def is_countable(self) -> bool:
        """Whether its working hours and days are few enough (`MOST_WORKING`) to be counted one by one."""
        return max(abs(self.working_hours), abs(self.working_days)) <= MOST_WORKING


_PART = re.compile(r"\s*(\d{1,6})\s*(working\s+hours?|working\s+days?|[a-z]+)")
_EXACT = {
    "s": timedelta(seconds=1),
    "second": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "minute": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "hour": timedelta(hours=1),
    "d": timedelta(days=1),
    "day": timedelta(days=1),
    "w": timedelta(weeks=1),
    "week": timedelta(weeks=1),
}
_MONTHS = {"month": 1, "year": 12}


def parse_duration(text: str) -> Duration | None:
    """Return the duration that a text says (`10m`, `6 months`, `1 year 3 months`, `4 working hours`); None for none."""
    total: Duration | None = None
    position = 0
    text = text.strip()
    while position < len(text):
        part = _PART.match(text, position)
        step = None if part is None else _one(int(part[1]), " ".join(part[2].split()))
        if part is None or step is None:
            return None
        total = step if total is None else _plus(total, step)
        position = part.end()
    return total


def _one(number: int, unit: str) -> Duration | None:
    if unit.startswith("working "):
        return Duration(working_hours=number) if "hour" in unit else Duration(working_days=number)
    name = unit if len(unit) == 1 else unit.removesuffix("s")
    if name in _MONTHS:
        return Duration(months=number * _MONTHS[name])
    return Duration(exact=number * _EXACT[name]) if name in _EXACT else None


def _plus(left: Duration, right: Duration) -> Duration:
    return Duration(
        left.months + right.months,
        left.exact + right.exact,
        left.working_hours + right.working_hours,
        left.working_days + right.working_days,
    )
