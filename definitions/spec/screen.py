"""Statistics, screens and homes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from definitions.expr.expression import Expression
from definitions.problems import Place
from definitions.text import Text

Measure = Literal["count", "sum", "average", "share", "time_in"]
Chart = Literal["number", "bar", "line", "pie", "funnel", "table"]


@dataclass(frozen=True, slots=True)
class Statistic:
    """A figure, grouped by expressions. `of` is what is summed, averaged or the condition of the share."""

    name: str
    label: Text
    entity: str
    measure: Measure
    place: Place
    of: Expression | None = None
    time_in: tuple[str, str] | None = None
    where: Expression | None = None
    by: tuple[Expression, ...] = ()
    chart: Chart = "number"


@dataclass(frozen=True, slots=True)
class View:
    """A named filter of a list."""

    name: str
    label: Text
    place: Place
    where: Expression | None = None
    sort: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A group of fields on the record's page."""

    label: Text
    fields: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Board:
    """Columns by state of a process; `card` are the fields on a card."""

    process: str
    card: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Screen:
    """The screens of an entity; `generated` when the pack has none. `levels` empty: all that may read the entity.

    `sort` is a field name, descending with a leading `-`.
    """

    name: str
    entity: str
    place: Place
    columns: tuple[str, ...]
    sort: str = "-created_at"
    levels: tuple[str, ...] = ()
    views: Mapping[str, View] = field(default_factory=dict)
    boards: tuple[Board, ...] = ()
    sections: tuple[Section, ...] = ()
    generated: bool = False
    label: Text | None = None
    column_places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a home page: exactly one of its kinds is set."""

    place: Place
    statistic: str | None = None
    screen: str | None = None
    view: str | None = None
    tasks: Literal["mine"] | None = None
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """The first page of the members of `levels` (all when empty)."""

    name: str
    tiles: tuple[Tile, ...]
    place: Place
    levels: tuple[str, ...] = ()
    label: Text | None = None
