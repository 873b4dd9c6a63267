"""A whole network, as its pack defines it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from definitions.problems import Place
from definitions.spec.access import Level, Terms
from definitions.spec.automation import Automation
from definitions.spec.demo import Demo
from definitions.spec.entity import Entity, Option
from definitions.spec.process import Process
from definitions.spec.screen import Home, Screen, Statistic
from definitions.spec.template import Template
from definitions.text import Text

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days, opening hours in minutes after midnight, and the country whose holidays are off (None: none)."""

    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    opens: int = 9 * 60
    closes: int = 18 * 60
    holidays: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that the leader changes on a screen; `value` is where it starts."""

    name: str
    type: str
    value: Any
    label: Text
    place: Place
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Network:
    """What a network is. Every mapping is by name, in the order written; `levels` always has `leader` and `public`.

    `hue` is the brand's hue in degrees (OKLCH), 0 to 359. `demo` belongs to a pack, for trying it.
    """

    name: str
    label: Text
    place: Place
    languages: tuple[str, ...] = ("fr",)
    timezone: str = "Europe/Paris"
    currency: str = "EUR"
    countries: tuple[str, ...] = ()
    calendar: Calendar = Calendar()
    hue: int = 172
    settings: Mapping[str, Setting] = field(default_factory=dict)
    entities: Mapping[str, Entity] = field(default_factory=dict)
    processes: Mapping[str, Process] = field(default_factory=dict)
    automations: Mapping[str, Automation] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    terms: Mapping[str, Terms] = field(default_factory=dict)
    statistics: Mapping[str, Statistic] = field(default_factory=dict)
    screens: Mapping[str, Screen] = field(default_factory=dict)
    homes: Mapping[str, Home] = field(default_factory=dict)
    demo: Demo | None = None

    def depth(self, entity: str) -> int:
        """Return how many records stand above one of the entity: 0 unless they are lines."""
        parent = self.entities[entity].parent
        return 0 if parent is None else 1 + self.depth(parent)

    def lines(self, entity: str) -> dict[str, Entity]:
        """Return the entities whose records are lines of the entity's, by the names that it has for them."""
        return {each.lines_as or "": each for each in self.entities.values() if each.parent == entity}
