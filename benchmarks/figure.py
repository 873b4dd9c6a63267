"""A figure: what was reached beside the target and the raw limit, and how it was measured."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was reached, in `unit`; `target` in the same, `most` where less is better; `raw` is the limit, if any.

    `cpu` are milliseconds of CPU for each, of ours and of raw (None where it is no rate).
    """

    what: str
    reached: float
    unit: str
    target: float | None
    how: str
    raw: float | None = None
    cpu: float | None = None
    raw_cpu: float | None = None
    most: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is met; what has none is."""
        if self.target is None:
            return True
        return self.reached <= self.target if self.most else self.reached >= self.target

    @property
    def ratio(self) -> float | None:
        """Ours as a share of raw; where less is better, how often raw goes into ours."""
        return self.reached / self.raw if self.raw else None

    def __str__(self) -> str:
        """Return it as a line of text."""
        wanted = "" if self.target is None else f", target {'≤' if self.most else '≥'} {number(self.target)}"
        raw = "" if self.raw is None else f", raw {number(self.raw)} ({self.ratio:.0%})"
        cpu = "" if self.cpu is None else f", CPU {self.cpu:.4f} ms"
        own = "" if self.raw_cpu is None else f", raw {self.raw_cpu:.4f} ms"
        return f"{self.what}: {number(self.reached)} {self.unit}{wanted}{raw}{cpu}{own}"


def number(value: float) -> str:
    """Return a number with as many places as say something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, and of CPU in this process."""

    wall: float
    cpu: float

    def rate(self, count: int) -> float:
        """Return how many a second that is."""
        return count / self.wall

    def each(self, count: int) -> float:
        """Return the milliseconds of CPU for each."""
        return self.cpu / count * 1000


async def spent(work: Callable[[], Awaitable[object]]) -> Spent:
    """Return what it took to do something once."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def load() -> float:
    """Return how many processes wanted to run in the last minute."""
    return os.getloadavg()[0]
