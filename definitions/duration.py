"""Durations as the language has them: calendar months, exact time and working time side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


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
