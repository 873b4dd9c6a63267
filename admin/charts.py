"""Statistics as pictures: what the templates draw as SVG, measured here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any, Literal

from babel import dates

from admin.parts.columns import column
from admin.parts.reader import Reader
from admin.parts.shown import Titles, reference_id, write
from definitions.expr.expression import Expression
from definitions.spec.entity import Entity
from definitions.spec.screen import Statistic
from models.message import say
from models.statistics import Result

Shape = Literal["number", "bars", "line", "pie", "funnel", "table"]
Figure = int | Decimal

PERIODS = ("year", "month", "week", "day")
MOST_PERIODS = 12
MOST_GROUPS = 8
WIDTH, HEIGHT = 360, 150
LETTER, BETWEEN = 6, 4
"""How wide a letter is, and what is left between two labels."""
LEFT, RIGHT, TOP, BOTTOM = 34, 6, 16, 20
ROUND = 100.0
GAP = 0.6


@dataclass(frozen=True, slots=True)
class Part:
    """One group: its name, its figure as text, its share of the greatest (0 to 100) and of the sum, its start there."""

    label: str
    text: str
    value: Figure
    percent: float = 0.0
    share: float = 0.0
    start: float = 0.0

    @property
    def drawn(self) -> float:
        """The share less a gap to the next slice."""
        return self.share - GAP if self.share > 2 * GAP else self.share


@dataclass(frozen=True, slots=True)
class Point:
    """Where a part stands in the picture: the middle and top of its bar, the bar's edge and size.

    `label` is what there is room for: of periods that stand close some have none, other names are cut.
    """

    part: Part
    x: float
    y: float
    left: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the picture with its figure."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A statistic ready to be drawn; `summary` says it in words for those who do not see the picture."""

    title: str
    shape: Shape
    parts: tuple[Part, ...]
    summary: str
    points: tuple[Point, ...] = ()
    ticks: tuple[Tick, ...] = ()

    @property
    def path(self) -> str:
        """The points of a line chart, as SVG wants them."""
        return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)


def chart(statistic: Statistic, result: Result, reader: Reader, titles: Titles) -> Chart:
    """Return the picture of a result. `titles` names the records that groups refer to."""
    entity = reader.network.entities[statistic.entity]
    figures = _figures(statistic, entity, reader)
    named = [(row.group, row.value if row.value is not None else 0) for row in result.rows if not row.merged]
    periods = len(statistic.by) == 1 and _period(statistic.by[0]) is not None
    if periods:
        named = _without_gaps(named, _period(statistic.by[0]) or "day")
    elif statistic.chart == "funnel" and len(statistic.by) == 1:
        named = _by_state(named, statistic.by[0], entity, reader)
    elif len(statistic.by) == 1 and statistic.chart != "table":
        named = sorted(named, key=lambda pair: -pair[1])[:MOST_GROUPS]
    labelled = [
        (
            " · ".join(
                _group(by, value, entity, reader, titles) for by, value in zip(statistic.by, group, strict=True)
            ),
            value,
        )
        for group, value in named
    ]
    shape = _shape(statistic, periods=periods)
    if shape != "line":
        labelled += [(reader.words(say("Small groups together")), row.value or 0) for row in result.rows if row.merged]
    parts = _parts(labelled, figures)
    title = reader.words(statistic.label)
    summary = ", ".join(f"{part.label}: {part.text}" if part.label else part.text for part in parts)
    if shape in ("bars", "line"):
        points, ticks = _plot(parts, figures, periods=periods)
        return Chart(title, shape, parts, summary, points, ticks)
    return Chart(title, shape, parts, summary)


def _shape(statistic: Statistic, *, periods: bool) -> Shape:
    if not statistic.by:
        return "number"
    if len(statistic.by) > 1:
        return "table"
    match statistic.chart:
        case "bar":
            return "bars" if periods else "funnel"
        case "number":
            return "table"
        case "line" | "pie" | "funnel" | "table" as shape:
            return shape


def _parts(labelled: Sequence[tuple[str, Figure]], figures: Callable[[Figure], str]) -> tuple[Part, ...]:
    most = max((float(value) for _, value in labelled), default=0.0) or 1.0
    total = sum(float(value) for _, value in labelled) or 1.0
    parts: list[Part] = []
    start = 0.0
    for label, value in labelled:
        share = float(value) / total * ROUND
        parts.append(Part(label, figures(value), value, max(float(value), 0.0) / most * ROUND, share, start))
        start += share
    return tuple(parts)


def _plot(
    parts: Sequence[Part], figures: Callable[[Figure], str], *, periods: bool
) -> tuple[tuple[Point, ...], tuple[Tick, ...]]:
    top = _scale(max((float(part.value) for part in parts), default=0.0))
    room = HEIGHT - TOP - BOTTOM
    step = (WIDTH - LEFT - RIGHT) / max(len(parts), 1)
    width = min(step * 0.68, 40)
    letters = max(int((step - BETWEEN) / LETTER), 1)
    every = ceil(max((len(part.label) for part in parts), default=1) / letters) if periods else 1
    points = []
    for index, part in enumerate(parts):
        height = max(float(part.value), 0.0) / top * room
        middle = LEFT + step * (index + 0.5)
        shown = part.label if periods else _shortened(part.label, letters)
        label = shown if (len(parts) - 1 - index) % every == 0 else ""
        points.append(Point(part, middle, HEIGHT - BOTTOM - height, middle - width / 2, width, height, label))
    ticks = [Tick(HEIGHT - BOTTOM - room * share, figures(_tidy(top * share))) for share in (0.0, 0.5, 1.0)]
    return tuple(points), tuple(ticks)


def _shortened(label: str, letters: int) -> str:
    """Return a label of so many letters at most."""
    return label if len(label) <= letters else f"{label[: max(letters - 1, 1)]}…"


def _scale(most: float) -> float:
    """Return a round number at or above the greatest value, whose half is round too."""
    if most <= 0:
        return 2.0
    power = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    return next(power * step for step in (1, 2, 4, 6, 8, 10, 20) if power * step >= most)


def _tidy(value: float) -> Figure:
    return int(value) if value == int(value) else Decimal(str(round(value, 2)))


def _figures(statistic: Statistic, entity: Entity, reader: Reader) -> Callable[[Figure], str]:
    formats = reader.formats
    match statistic.measure:
        case "share":
            return formats.percent
        case "time_in":
            return lambda value: _span(value, reader)
        case "sum" | "average" if statistic.of is not None and _is_money(statistic.of, entity):
            return formats.money
        case "average":
            return lambda value: formats.number(round(Decimal(value), 1))
        case _:
            return formats.number


def _span(seconds: Figure, reader: Reader) -> str:
    span = timedelta(seconds=float(seconds))
    return dates.format_timedelta(span, threshold=1.5, locale=reader.formats.locale)


def _is_money(expression: Expression, entity: Entity) -> bool:
    """Whether a measured expression reads money."""
    for path in expression.reads:
        found = entity.fields.get(path[1]) if len(path) == 2 and path[0] == "record" else None
        if found is not None and found.type == "money":
            return True
    return False


def _period(expression: Expression) -> str | None:
    head = expression.text.strip().partition("(")[0]
    return head if head in PERIODS else None


def _group(expression: Expression, value: Any, entity: Entity, reader: Reader, titles: Titles) -> str:
    if value is None or value == "":
        return reader.words(say("Not given"))
    period = _period(expression)
    if period is not None and isinstance(value, date):
        return _period_label(period, value, reader)
    found = _target(expression, entity, reader)
    if found is not None:
        return write(found, value, reader, titles) or reader.words(say("Not given"))
    if isinstance(value, bool):
        return reader.formats.boolean(value)
    return reader.formats.number(value) if isinstance(value, int | Decimal) else str(value)


def _target(expression: Expression, entity: Entity, reader: Reader) -> Any:
    """Return the column that an expression selects (`record.company.city`), None when it computes something."""
    names = expression.text.strip().split(".")
    if names[0] != "record" or not all(name.isidentifier() for name in names):
        return None
    found = None
    for name in names[1:]:
        found = column(reader, entity, name)
        if found is None:
            return None
        entity = reader.network.entities.get(found.to or "", entity)
    return found


def references(statistic: Statistic, result: Result, reader: Reader) -> dict[str, set[str]]:
    """Return the ids that the groups of a result refer to, by entity: whose titles `chart` needs."""
    entity = reader.network.entities[statistic.entity]
    found: dict[str, set[str]] = {}
    for place, expression in enumerate(statistic.by):
        target = _target(expression, entity, reader)
        if target is None or target.kind != "reference" or target.to is None:
            continue
        values = (row.group[place] for row in result.rows)
        found.setdefault(target.to, set()).update(reference_id(value) for value in values if value is not None)
    return found


def _period_label(period: str, day: date, reader: Reader) -> str:
    locale = reader.formats.locale
    match period:
        case "year":
            return str(day.year)
        case "month":
            return dates.format_date(day, "MMM", locale=locale)
        case "week":
            return reader.words(say("W{week}", week=day.isocalendar().week))
        case _:
            return dates.format_date(day, "d MMM", locale=locale)


def _without_gaps(named: list[tuple[tuple[Any, ...], Figure]], period: str) -> list[tuple[tuple[Any, ...], Figure]]:
    """Return the last periods in order, those without records too."""
    figures = {group[0]: value for group, value in named if isinstance(group[0], date)}
    if not figures:
        return []
    day, last = min(figures), max(figures)
    kept: list[tuple[tuple[Any, ...], Figure]] = []
    while day <= last:
        kept.append(((day,), figures.get(day, 0)))
        day = _after(day, period)
    return kept[-MOST_PERIODS:]


def _after(day: date, period: str) -> date:
    match period:
        case "year":
            return day.replace(year=day.year + 1)
        case "month":
            return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        case "week":
            return day + timedelta(days=7)
        case _:
            return day + timedelta(days=1)


def _by_state(
    named: list[tuple[tuple[Any, ...], Figure]], expression: Expression, entity: Entity, reader: Reader
) -> list[tuple[tuple[Any, ...], Figure]]:
    """Return the groups of a funnel in the order of the process, the empty ones too."""
    found = _target(expression, entity, reader)
    if found is None or not found.options:
        return sorted(named, key=lambda pair: -pair[1])[:MOST_GROUPS]
    figures: Counter[Any] = Counter()
    for group, value in named:  # of states side by side each counts
        figures.update(dict.fromkeys(group[0] if isinstance(group[0], tuple) else (group[0],), value))
    stages = found.process.innermost if found.process else [option.name for option in found.options]
    return [((name,), figures[name]) for name in stages]
