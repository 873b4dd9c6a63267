"""Sets of the values that something may have: what a comparison leaves of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

Cut = tuple[Any, ...]
"""A place between values: `(0, value, 0)` just before a value, `(0, value, 1)` just behind it."""

LOWEST: Cut = (-1,)
HIGHEST: Cut = (1,)


@dataclass(frozen=True, slots=True)
class Values:
    """Values of one ordered type: `spans` from cut to cut, in order and apart, and perhaps null."""

    spans: tuple[tuple[Cut, Cut], ...]
    null: bool = False

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.null or bool(self.spans)

    def meet(self, other: Values) -> Values:
        """Return what is in both."""
        found = [
            (max(low, other_low), min(high, other_high))
            for low, high in self.spans
            for other_low, other_high in other.spans
        ]
        return Values(tuple(span for span in found if span[0] < span[1]), self.null and other.null)

    def rest(self) -> Values:
        """Return everything else."""
        cuts = [LOWEST, *(cut for span in self.spans for cut in span), HIGHEST]
        gaps = zip(cuts[::2], cuts[1::2], strict=True)
        return Values(tuple(gap for gap in gaps if gap[0] < gap[1]), not self.null)


EVERYTHING = Values(((LOWEST, HIGHEST),), null=True)
PRESENT = Values(((LOWEST, HIGHEST),))
ONLY_NULL = Values((), null=True)
NOTHING = Values(())


def these(values: Iterable[Any]) -> Values:
    """Return exactly the values given; None stands for null."""
    listed = list(values)
    plain = sorted({value for value in listed if value is not None})
    return Values(tuple(((0, value, 0), (0, value, 1)) for value in plain), None in listed)


def ordered(operator: str, value: Any) -> Values:
    """Return the values that are `operator` (`<`, `<=`, `>`, `>=`) the value given: none where it is null."""
    if value is None:
        return NOTHING
    match operator:
        case "<":
            return Values(((LOWEST, (0, value, 0)),))
        case "<=":
            return Values(((LOWEST, (0, value, 1)),))
        case ">":
            return Values((((0, value, 1), HIGHEST),))
        case _:
            return Values((((0, value, 0), HIGHEST),))


def whole(values: Values) -> Values:
    """Return the same values of a type that has no others between two neighbours: whole numbers and days."""
    spans = ((_first(low), _first(high)) for low, high in values.spans)
    return Values(tuple(span for span in spans if span[0] < span[1]), values.null)


def _first(cut: Cut) -> Cut:
    """Return the cut just before the first whole value behind a cut."""
    if len(cut) == 1:
        return cut
    _, value, behind = cut
    if isinstance(value, date) and not isinstance(value, datetime):
        if not behind:
            return cut
        return HIGHEST if value == date.max else (0, value + timedelta(days=1), 0)
    if isinstance(value, int | Decimal):
        return (0, math.floor(value) + 1 if behind else math.ceil(value), 0)
    return cut
