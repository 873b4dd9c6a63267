"""Figures over the records that an actor may read."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from definitions.spec.screen import Statistic
from models.records import Records


@dataclass(frozen=True, slots=True)
class Row:
    """One group: the values of `by` (of memory: a date, a state's name, a reference's id), the figure, its records."""

    group: tuple[Any, ...]
    value: int | Decimal | None
    count: int


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of a statistic, ordered by group; without `by` exactly one row with an empty group.

    A `share` is a fraction from 0 to 1; `time_in` is in seconds.
    """

    statistic: str
    rows: tuple[Row, ...]


async def compute(records: Records, statistic: Statistic) -> Result:
    """Compute a statistic under the row and field rules of the records' actor."""
    raise NotImplementedError
