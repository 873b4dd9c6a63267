"""What this process has answered and not yet written down, and the loop that writes it down."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

import structlog

from models.clock import Clock
from models.hours import Counts, Hours, Kind
from models.store import StoreError

EVERY = 15.0
"""Seconds between two times that figures are written down."""
HALF, WHOLE = 0.5, 1.0
"""Seconds that the published targets speak of."""

log = structlog.get_logger(__name__)


class Tally:
    """Counts of requests that are to be written down; those of a minute that could not be are added to the next."""

    def __init__(self, hours: Hours, clock: Clock) -> None:
        """Write down in `hours`, by the time of `clock`."""
        self.hours = hours
        self.clock = clock
        self._counts: dict[Kind, Counts] = defaultdict(Counts)
        self._purged: str = ""

    def note(self, kind: Kind, seconds: float, *, failed: bool) -> None:
        """Count a request: a failed one (5xx) was not answered in time, however fast it failed."""
        self._counts[kind] += Counts(1, seconds < HALF and not failed, seconds < WHOLE and not failed, failed)

    async def write(self) -> None:
        """Write down what was counted, and that the server lives; what cannot be written now waits."""
        counted, self._counts = self._counts, defaultdict(Counts)
        try:
            await self.hours.add(self.clock.now(), counted)
        except Exception as error:
            unexpected = not isinstance(error, StoreError)
            log.warning("the figures of the service cannot be written", reason=str(error), exc_info=unexpected)
            for kind, counts in counted.items():
                self._counts[kind] += counts

    async def go_on(self, stop: asyncio.Event, also: Callable[[], None]) -> None:
        """Write down every few seconds until `stop` is set, and once more then; `also` is called each time."""
        while True:
            last = stop.is_set()
            await self.write()
            also()
            if last:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=EVERY)
