"""Screens, first pages, figures, levels, settings and terms in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from admin.manual.conditions import condition, told
from admin.manual.telling import Telling
from admin.markdown import to_html
from definitions.spec.access import Function, Level
from definitions.spec.network import Setting
from definitions.spec.screen import Chart, Home, Measure, Screen, Statistic, Tile
from models.message import Message, say

MEASURES: Mapping[Measure, Message] = {
    "count": say("How many {entity}"),
    "sum": say("The sum of {what} of {entity}"),
    "average": say("{what} of {entity} on average"),
    "share": say("The share of {entity} where {what}"),
    "time_in": say("How long {entity} are in {what}"),
}
CHARTS: Mapping[Chart, Message] = {
    "number": say("A number"),
    "bar": say("Bars"),
    "line": say("A line"),
    "pie": say("A pie"),
    "funnel": say("A funnel"),
    "table": say("A table"),
}
FUNCTIONS: Mapping[Function, Message] = {
    "consult": say("see what its rights reach"),
    "communicate": say("write in the own name"),
    "import": say("bring many records in at once"),
    "export": say("take lists home"),
    "analyse": say("see figures"),
}
ONLY, BY = say("only where {condition}"), say("by {what}")
TASKS, ONE_STATISTIC, LIST, VIEW = (
    say("The own tasks"),
    say("Figure: {statistic}"),
    say("List: {entity}"),
    say("List: {entity}, {view}"),
)
EVERYTHING = say("May do everything, and runs the network.")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A screen: what it is of, the columns of its list, its views with their conditions, its boards and sections."""

    name: str
    label: str
    entity: Markup
    levels: Markup
    columns: tuple[str, ...]
    views: tuple[tuple[str, Markup], ...]
    boards: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A statistic in words."""

    name: str
    label: str
    notes: tuple[Markup, ...]
    chart: str


@dataclass(frozen=True, slots=True)
class Group:
    """A level: what its members can do anywhere, and the terms that they accept."""

    name: str
    label: str
    functions: tuple[str, ...]
    terms: tuple[str, ...]


def sheets(tell: Telling) -> Iterator[Sheet]:
    """Yield the screens that the definitions have; the others are made of the entities."""
    for screen in tell.network.screens.values():
        if not screen.generated:
            yield _sheet(tell, screen)


def _sheet(tell: Telling, screen: Screen) -> Sheet:
    entity = tell.network.entities[screen.entity]
    return Sheet(
        screen.name,
        tell.words(screen.label or entity.many),
        tell.name(entity.many),
        tell.levels(screen.levels) if screen.levels else Markup(""),
        tuple(_label(tell, screen.entity, name) for name in screen.columns),
        tuple(
            (tell.words(view.label), Markup("") if view.where is None else condition(tell, view.where))
            for view in screen.views.values()
        ),
        tuple(tell.words(tell.network.processes[board.process].label) for board in screen.boards),
        tuple(
            (tell.words(section.label), ", ".join(_label(tell, screen.entity, name) for name in section.fields))
            for section in screen.sections
        ),
    )


def _label(tell: Telling, entity: str, name: str) -> str:
    return tell.field(entity, name).striptags()


def homes(tell: Telling) -> Iterator[tuple[Markup, tuple[Markup, ...]]]:
    """Yield for whom a first page is (nobody named: for all), and what stands on it."""
    for home in tell.network.homes.values():
        yield _levels(tell, home), tuple(_tile(tell, tile) for tile in home.tiles)


def _levels(tell: Telling, home: Home) -> Markup:
    return tell.levels(home.levels) if home.levels else Markup("")


def _tile(tell: Telling, tile: Tile) -> Markup:
    network = tell.network
    if tile.statistic is not None:
        return tell.said(ONE_STATISTIC, statistic=tell.name(network.statistics[tile.statistic].label))
    if tile.screen is not None:
        screen = network.screens[tile.screen]
        entity = tell.name(network.entities[screen.entity].many)
        if tile.view is None:
            return tell.said(LIST, entity=entity)
        return tell.said(VIEW, entity=entity, view=tell.name(screen.views[tile.view].label))
    return to_html(tell.words(tile.text)) if tile.text is not None else tell.html(TASKS)


def figures(tell: Telling) -> Iterator[Figure]:
    """Yield the statistics."""
    for statistic in tell.network.statistics.values():
        notes = tuple(_measured(tell, statistic))
        yield Figure(statistic.name, tell.words(statistic.label), notes, tell.words(CHARTS[statistic.chart]))


def _measured(tell: Telling, statistic: Statistic) -> Iterator[Markup]:
    what = Markup("")
    if statistic.of is not None:
        what = (condition if statistic.measure == "share" else told)(tell, statistic.of)
    elif statistic.time_in is not None:
        what = tell.state(*statistic.time_in)
    entity = tell.name(tell.network.entities[statistic.entity].many)
    yield tell.said(MEASURES[statistic.measure], entity=entity, what=what)
    if statistic.where is not None:
        yield tell.said(ONLY, condition=condition(tell, statistic.where))
    for by in statistic.by:
        yield tell.said(BY, what=told(tell, by))


def groups(tell: Telling) -> Iterator[Group]:
    """Yield the levels."""
    for level in tell.network.levels.values():
        terms = tuple(
            tell.words(each.label)
            for each in tell.network.terms.values()
            if not each.levels or level.name in each.levels
        )
        yield Group(level.name, tell.words(level.label), tuple(_functions(tell, level)), terms)


def _functions(tell: Telling, level: Level) -> Iterator[str]:
    if level.everything:
        yield tell.words(EVERYTHING)
        return
    yield from (tell.words(text) for name, text in FUNCTIONS.items() if name in level.functions)


def settings(tell: Telling) -> Iterator[tuple[str, str, Markup]]:
    """Yield the settings: name, what they are called, their value until somebody changes it."""
    for setting in tell.network.settings.values():
        yield setting.name, tell.words(setting.label), _value(tell, setting)


def _value(tell: Telling, setting: Setting) -> Markup:
    option = setting.options.get(setting.value) if isinstance(setting.value, str) else None
    if option is not None:
        return tell.name(option.label)
    return escape(setting.value) if isinstance(setting.value, str) else tell.value(None, setting.value)
