"""How many requests somebody may make: token buckets, in this process's memory.

A bucket holds `burst` requests and is filled again with `per_second`; a request takes one out of each bucket that it
is counted in, or, where one of them is empty, out of none.
"""

from __future__ import annotations

import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MOST_BUCKETS = 100_000
"""So many buckets are remembered; who was not heard of for longest has a full one again."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What may be asked for: `per_second` for ever, and `burst` at once."""

    per_second: float
    burst: int


USUAL: Mapping[str, Rate] = {
    "token": Rate(50, 1000),
    "member": Rate(50, 1000),
    "address": Rate(20, 600),
    "members": Rate(500, 10_000),
    "strangers": Rate(200, 4000),
    "sign_in": Rate(1, 60),
    "reset": Rate(0.05, 20),
    "search": Rate(10, 200),
    "statistics": Rate(5, 200),
    "export": Rate(0.2, 30),
    "upload": Rate(2, 200),
    "bulk": Rate(2, 120),
    "inlet": Rate(20, 1000),
}
"""The rates of an installation that says nothing else: no honest person or program meets them.

`token`, `member` (all sessions and tokens of one) and `address` (who is not signed in) are who asks; `members` and
`strangers` are a whole network's, apart from each other, so that strangers take nothing from members. The others are
what is costly, counted for who asks; `inlet` is what other systems send to one hook.
"""
_RATE = re.compile(r"(?P<name>[a-z_]+)=(?P<rate>\d+(?:\.\d+)?)/(?P<burst>\d+)")


def rates_of(text: str, processes: int = 1) -> dict[str, Rate]:
    """Return the usual rates with those over them that `text` names (`token=100/2000 search=5/50`); none for `off`.

    Each of `processes` that share the work has its part of them. `ValueError` says what cannot be read.
    """
    if text.strip() == "off":
        return {}
    found = dict(USUAL)
    for word in text.split():
        matched = _RATE.fullmatch(word)
        if matched is None or matched["name"] not in USUAL or not float(matched["rate"]) or not int(matched["burst"]):
            raise ValueError(f"{word!r}: say name=per_second/burst, with a name of {', '.join(USUAL)}.")
        found[matched["name"]] = Rate(float(matched["rate"]), int(matched["burst"]))
    parts = max(processes, 1)
    return {name: Rate(rate.per_second / parts, max(rate.burst // parts, 1)) for name, rate in found.items()}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may be made, and what is left in the bucket that decided (`name`).

    `wait` is the number of seconds until one more may be made, 0 where it may be now; `reset` until the bucket is full.
    """

    allowed: bool
    name: str
    rate: Rate
    remaining: int
    wait: int
    reset: int


Want = tuple[str, str]
"""The name of a rate, and whose bucket it is."""


class Limiter:
    """The buckets of one process. `clock` returns seconds that only go forward."""

    def __init__(
        self, rates: Mapping[str, Rate], *, clock: Callable[[], float] = time.monotonic, most: int = MOST_BUCKETS
    ) -> None:
        """Begin with full buckets; without rates nothing is limited."""
        self.rates = rates
        self.clock = clock
        self.most = most
        self._buckets: OrderedDict[Want, tuple[float, float]] = OrderedDict()
        self._owners: OrderedDict[str, str] = OrderedDict()

    def take(self, wants: Sequence[Want]) -> Verdict | None:
        """Count a request in these buckets; None when none of them has a rate.

        The verdict is that of the first bucket that is empty, else of the first of all: who asks.
        """
        now, held = self.clock(), []
        for want in wants:
            rate = self.rates.get(want[0])
            if rate is None:
                continue
            level = self._level(want, rate, now)
            if level < 1:
                return _verdict(want[0], rate, level, allowed=False)
            held.append((want, rate, level - 1))
        for want, _, level in held:
            self._keep(want, (level, now))
        if not held:
            return None
        (name, _), rate, level = held[0]
        return _verdict(name, rate, level, allowed=True)

    def owner(self, credential: str) -> str | None:
        """Return whose a credential was the last time; None for one that was never right here."""
        return self._owners.get(credential)

    def learn(self, credential: str, owner: str) -> None:
        """Remember whose a credential is that was right."""
        self._owners[credential] = owner
        if len(self._owners) > self.most:
            self._owners.popitem(last=False)

    def _level(self, want: Want, rate: Rate, now: float) -> float:
        found = self._buckets.get(want)
        if found is None:
            return rate.burst
        level, at = found
        return min(rate.burst, level + max(now - at, 0) * rate.per_second)

    def _keep(self, want: Want, bucket: tuple[float, float]) -> None:
        self._buckets[want] = bucket
        self._buckets.move_to_end(want)
        if len(self._buckets) > self.most:
            self._buckets.popitem(last=False)


def _verdict(name: str, rate: Rate, level: float, *, allowed: bool) -> Verdict:
    wait = 0 if level >= 1 else math.ceil((1 - level) / rate.per_second)
    return Verdict(allowed, name, rate, int(level), wait, math.ceil((rate.burst - level) / rate.per_second))
