"""The picture of a process as shapes and lines with their places: states inside of states, side by side, and moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from admin.diagrams.arcs import OUTERMOST, Arc, arcs, levels
from admin.diagrams.layers import Item, Level, Point, Wire, arrange
from admin.diagrams.lettering import width, wrap
from definitions.spec.process import Process, State
from definitions.text import Text
from models.message import Message, say

Direction = Literal["across", "down"]
STATE, LABEL, NOTE = 13.0, 11.5, 10.5
"""Sizes of letters, in pixels."""
LINE: Mapping[str, float] = {"state": 17.0, "label": 15.0}
DOT, MARGIN, HEAD, INSIDE = 11.0, 8.0, 28.0, 12.0
WRAP: Mapping[Direction, tuple[float, float]] = {"across": (118.0, 128.0), "down": (112.0, 104.0)}
"""How wide the words of states and of labels become before they go on in the next line."""

Words = Callable[[Message | Text | str], str]


@dataclass(frozen=True, slots=True)
class Shape:
    """Something with an outline: x and y of its corner, its size, the lines of its text."""

    kind: Literal["state", "outer", "region", "label", "start"]
    name: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    colour: str = "grey"
    final: bool = False
    auto: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """An arrow or the first half of one: straight pieces and curves in turn."""

    points: tuple[Point, ...]
    arrow: bool
    auto: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture, or a part of one."""

    width: float
    height: float
    shapes: tuple[Shape, ...] = ()
    lines: tuple[Line, ...] = ()

    def moved(self, x: float, y: float) -> Sheet:
        """Return the sheet at another place of a larger one."""
        shapes = (replace(shape, x=shape.x + x, y=shape.y + y) for shape in self.shapes)
        lines = (replace(line, points=tuple((at + x, to + y) for at, to in line.points)) for line in self.lines)
        return replace(self, shapes=tuple(shapes), lines=tuple(lines))


def sheet(process: Process, words: Words, direction: Direction) -> Sheet:
    """Return the picture of a process, which flows across or down."""
    drawing = _Drawing(process, words, direction)
    inner = drawing.level(OUTERMOST)
    return replace(inner.moved(MARGIN, MARGIN), width=inner.width + 2 * MARGIN, height=inner.height + 2 * MARGIN)


class _Drawing:
    """What drawing a process needs at each of its levels."""

    def __init__(self, process: Process, words: Words, direction: Direction) -> None:
        self.process = process
        self.words = words
        self.direction = direction
        self.levels = levels(process)
        self.arcs = arcs(process)

    def level(self, name: str) -> Sheet:
        """Return the states inside of one (of none: the outermost), with the moves between them."""
        own = [arc for arc in self.arcs if arc.level == name]
        parts = {state: self.state(self.process.states[state]) for state in self.levels.get(name, ())}
        parts |= {_label_name(number): self.label(arc) for number, arc in enumerate(own)}
        initial = [state for state in self.levels.get(name, ()) if self.process.states[state].initial]
        if initial and len(parts) > 1:
            parts[_START] = Sheet(DOT, DOT, (Shape("start", _START, 0, 0, DOT, DOT),))
        items = [self.item(part, found) for part, found in parts.items()]
        wires = [*_start(parts, initial), *_wires(own)]
        return self.put(arrange(items, wires), parts, own)

    def item(self, name: str, part: Sheet) -> Item:
        """Return a part as the layout takes it."""
        along, beside = (part.width, part.height) if self.direction == "across" else (part.height, part.width)
        return Item(name, along, beside, odd=name == _START or name.startswith(_LABEL))

    def put(self, level: Level, parts: Mapping[str, Sheet], own: Sequence[Arc]) -> Sheet:
        """Return the parts and wires of a level at their places."""
        shapes: list[Shape] = []
        lines: list[Line] = []
        for name, part in parts.items():
            x, y = self.turned(level.centres[name])
            placed = part.moved(x - part.width / 2, y - part.height / 2)
            shapes += placed.shapes
            lines += placed.lines
        for route in level.routes:
            points = tuple(map(self.turned, route.points))
            wire = route.wire
            arrow = wire.first == _START or (wire.first if wire.back else wire.last) not in _labels(parts)
            auto = any(own[_number(end)].transition.auto for end in (wire.first, wire.last) if end.startswith(_LABEL))
            lines.append(Line(points[::-1] if wire.back else points, arrow, auto))
        size = self.turned((level.along, level.beside))
        return Sheet(*size, tuple(shapes), tuple(lines))

    def turned(self, point: Point) -> Point:
        """Return x and y of a point along and beside the flow."""
        return point if self.direction == "across" else (point[1], point[0])

    def state(self, state: State) -> Sheet:
        """Return a state: a box, with what is inside of it."""
        words = wrap(self.words(state.label), WRAP[self.direction][0], STATE)
        text = max(width(line, STATE) for line in words)
        if not state.children:
            wide, high = max(text + 26, 64.0), max(LINE["state"] * len(words) + 18, 14.0 * self.ports(state.name))
            shape = Shape("state", state.name, 0, 0, wide, high, words, (), state.colour, state.final)
            return Sheet(wide, high, (shape,))
        inside = self.regions(state) if state.parallel else self.level(state.name)
        head = HEAD + LINE["state"] * (len(words) - 1)
        wide, high = max(inside.width, text) + 2 * INSIDE, head + inside.height + INSIDE
        placed = inside.moved((wide - inside.width) / 2, head)
        region = state.parent is not None and self.process.states[state.parent].parallel
        kind: Literal["region", "outer"] = "region" if region else "outer"
        shape = Shape(kind, state.name, 0, 0, wide, high, words, (), state.colour)
        return Sheet(wide, high, (shape, *placed.shapes), placed.lines)

    def ports(self, name: str) -> float:
        """Return how many arrows want room beside each other at a state, where it flows across."""
        if self.direction == "down":
            return 0
        leaving = sum(name in arc.sources for arc in self.arcs if not arc.back)
        reaching = sum(name == arc.target for arc in self.arcs if not arc.back)
        return max(leaving, reaching)

    def regions(self, state: State) -> Sheet:
        """Return states that run side by side, one below the other."""
        parts = [self.state(self.process.states[name]) for name in state.children]
        wide = max(part.width for part in parts)
        shapes: list[Shape] = []
        lines: list[Line] = []
        y = 0.0
        for part in parts:
            whole = replace(part.shapes[0], width=wide), *part.moved((wide - part.width) / 2, 0).shapes[1:]
            placed = replace(part.moved((wide - part.width) / 2, 0), shapes=whole).moved(0, y)
            shapes += placed.shapes
            lines += placed.lines
            y += part.height + 8.0
        return Sheet(wide, y - 8.0, tuple(shapes), tuple(lines))

    def label(self, arc: Arc) -> Sheet:
        """Return the words beside an arrow."""
        most = WRAP[self.direction][1]
        lines = wrap(self.words(arc.transition.label), most, LABEL)
        notes = tuple(line for note in self.notes(arc) for line in wrap(note, most, NOTE, lines=2))
        wide = max(*(width(line, LABEL) for line in lines), *(width(line, NOTE) for line in notes), 0.0) + 10
        high = LINE["label"] * len(lines) + 13.0 * len(notes) + 6
        shape = Shape("label", arc.transition.name, 0, 0, wide, high, lines, notes, auto=arc.transition.auto)
        return Sheet(wide, high, (shape,))

    def notes(self, arc: Arc) -> Iterable[str]:
        """Yield what the arrow alone does not say."""
        label = {name: self.words(state.label) for name, state in self.process.states.items()}
        if arc.anywhere and not arc.leaves:
            yield self.words(say("from anywhere"))
        if arc.leaves:
            yield self.words(say("from {states}", states=", ".join(label[name] for name in arc.leaves)))
        if arc.reaches:
            yield self.words(say("to {state}", state=label[arc.reaches]))
        if arc.transition.auto:
            yield self.words(say("by itself"))
        if arc.transition.approval:
            yield self.words(say("once agreed to"))


_START, _LABEL = "\0start", "\0label"


def _label_name(number: int) -> str:
    return f"{_LABEL}{number}"


def _number(name: str) -> int:
    return int(name.removeprefix(_LABEL))


def _labels(parts: Iterable[str]) -> set[str]:
    return {name for name in parts if name.startswith(_LABEL)}


def _start(parts: Iterable[str], initial: Sequence[str]) -> list[Wire]:
    return [Wire(_START, initial[0], 4.0)] if _START in parts else []


def _wires(own: Sequence[Arc]) -> list[Wire]:
    """Return the two halves of each arrow; what leads back lies the other way round."""
    found: list[Wire] = []
    seen: set[str] = set()
    for number, arc in enumerate(own):
        label = _label_name(number)
        main = not (arc.back or arc.itself or seen & {*arc.sources})
        weight = 4.0 if main else 1.0
        seen |= {*arc.sources} if main else set()
        if arc.itself:
            found += [Wire(arc.target, label, 2.0), Wire(arc.target, label, 2.0, back=True)]
        elif arc.back:
            found += [Wire(label, source, back=True) for source in arc.sources]
            found.append(Wire(arc.target, label, back=True))
        else:
            found += [Wire(source, label, weight) for source in arc.sources]
            found.append(Wire(label, arc.target, weight))
    return found
