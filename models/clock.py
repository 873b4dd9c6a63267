"""Time, as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class SetClock:
    """A clock that stands still until it is told otherwise: for tests, simulations and demo data."""

    def __init__(self, moment: datetime) -> None:
        """Start at `moment` (aware)."""
        self.moment = moment

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self.moment

    def forward(self, span: timedelta) -> None:
        """Move on by `span`."""
        self.moment += span
