"""A checked expression: what the rest of the product holds of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from definitions.expr.nodes import Node
from definitions.expr.types import Type
from definitions.problems import Place

if TYPE_CHECKING:
    from definitions.expr.typing import Typing


class WorkingCalendar(Protocol):
    """The network's working time."""

    def add_hours(self, start: datetime, hours: int) -> datetime:
        """Return the moment `hours` working hours after `start` (before it when negative)."""
        ...

    def add_days(self, start: datetime, days: int) -> datetime:
        """Return the moment `days` working days after `start` (before it when negative)."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What an evaluation takes from outside the record: the time (UTC, aware), the network's zone and calendar."""

    now: datetime
    timezone: ZoneInfo
    calendar: WorkingCalendar


Names = Mapping[str, Any]
"""The values in scope by name: `record`, `before`, `form`, `actor`, … ; records are mappings."""


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """An expression that was parsed, typed and compiled; equal only to itself.

    `reads` holds the paths it selects, longest first by name: `("record", "company", "city")`; who evaluates it loads
    the references on those paths beforehand. `evaluate` never raises: what cannot be computed is None.
    """

    text: str
    place: Place
    tree: Node
    type: Type
    reads: frozenset[tuple[str, ...]]
    evaluate: Callable[[Names, Context], Any]
    typing: Typing
