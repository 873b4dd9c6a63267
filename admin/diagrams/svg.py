"""Pictures of processes as SVG: readable without colours, by screen readers, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import pairwise

from markupsafe import Markup

from admin.diagrams.layers import Point
from admin.diagrams.sheet import LINE, Direction, Line, Shape, Sheet, Words, sheet
from definitions.spec.process import Process
from models.message import say

MOST = 200
"""States and moves together; nobody would read a picture of more, nor wait for it."""
WIDEST = 980.0
"""Wider pictures across are left out: text that is made smaller to fit is not read."""
NARROW = 360.0
"""What a phone shows of a picture's width."""
AROUND = frozenset({"outer", "region"})
"""What has other shapes inside."""
ROUND: Mapping[str, int] = {"state": 9, "outer": 12, "region": 9, "label": 6}


def diagram(process: Process, words: Words, *, key: str, current: Set[str] = frozenset()) -> Markup:
    """Return a process drawn across, for wide screens, and down, for narrow ones; `key` keeps ids of a page apart.

    `current` are the states to show as the ones that a record is in. Where it would be too wide, it is drawn down only.
    """
    if len(process.states) + len(process.transitions) > MOST:
        return Markup("<p>{}</p>").format(words(say("This process has too many states and steps for a picture.")))
    down, across = sheet(process, words, "down"), sheet(process, words, "across")
    fits = across.width <= WIDEST
    drawn = [_svg(process, words, down, "down", f"{key}-down", current)]
    if fits:
        drawn.insert(0, _svg(process, words, across, "across", f"{key}-across", current))
    kind = "diagram" if fits else "diagram only"
    return Markup('<div class="{}" tabindex="0" role="group" aria-label="{}">{}</div>').format(
        kind, words(process.label), Markup("").join(drawn)
    )


def told(process: Process, words: Words) -> str:
    """Return what the picture shows, in words."""
    label = {name: words(state.label) for name, state in process.states.items()}
    anywhere = words(say("anywhere"))
    moves = []
    for each in process.transitions.values():
        states = anywhere if each.anywhere else ", ".join(label[name] for name in each.sources)
        sentence = say(
            "{move}: from {states} to {state}.", move=words(each.label), states=states, state=label[each.target]
        )
        moves.append(words(sentence))
    return " ".join(moves)


def _svg(process: Process, words: Words, drawn: Sheet, direction: Direction, key: str, current: Set[str]) -> Markup:
    behind = [shape for shape in drawn.shapes if shape.kind in AROUND]
    before = [shape for shape in drawn.shapes if shape.kind not in AROUND]
    lines = [_line(line, direction) for line in drawn.lines]
    parts = [*(_shape(each, current) for each in behind), *lines, *(_shape(each, current) for each in before)]
    size = f"{drawn.width:.0f}", f"{drawn.height:.0f}"
    classes = f"{direction} roomy" if direction == "down" and drawn.width > NARROW * 1.25 else direction
    return Markup(
        '<svg class="{classes}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        'aria-labelledby="{key}-title {key}-told"><title id="{key}-title">{title}</title>'
        '<desc id="{key}-told">{told}</desc>{parts}</svg>'
    ).format(
        classes=classes,
        width=size[0],
        height=size[1],
        key=key,
        title=words(process.label),
        told=told(process, words),
        parts=Markup("").join(parts),
    )


def _shape(shape: Shape, current: Set[str]) -> Markup:
    if shape.kind == "start":
        centre = shape.x + shape.width / 2, shape.y + shape.height / 2
        return Markup('<circle class="start" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>').format(*centre, shape.width / 2)
    marks = [shape.kind, f"c-{shape.colour}" if shape.kind != "label" else "", *(["auto"] if shape.auto else [])]
    marks += (["final"] if shape.final else []) + (["on"] if shape.name in current and shape.kind != "label" else [])
    return Markup('<g class="{}">{}{}{}</g>').format(
        " ".join(filter(None, marks)),
        _box(shape, 0),
        _box(shape, 4) if shape.final else "",
        Markup("").join(_text(shape)),
    )


def _box(shape: Shape, inset: float) -> Markup:
    return Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{}"/>').format(
        shape.x + inset,
        shape.y + inset,
        shape.width - 2 * inset,
        shape.height - 2 * inset,
        max(2, ROUND[shape.kind] - int(inset)),
    )


def _text(shape: Shape) -> Iterator[Markup]:
    """Yield the lines of a shape's text: in its middle, of what has something inside at its top."""
    line = LINE["label" if shape.kind == "label" else "state"]
    whole = line * len(shape.lines) + 13.0 * len(shape.notes)
    top = shape.y + (6 if shape.kind in AROUND else (shape.height - whole) / 2)
    middle = shape.x + shape.width / 2
    for number, text in enumerate(shape.lines):
        yield _words(middle, top + line * (number + 0.72), text, "")
    for number, text in enumerate(shape.notes):
        yield _words(middle, top + line * len(shape.lines) + 13.0 * (number + 0.75), text, ' class="note"')


def _words(x: float, y: float, text: str, kind: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}"{}>{}</text>').format(x, y, Markup(kind), text)  # noqa: S704 - our own


def _line(line: Line, direction: Direction) -> Markup:
    path = Markup('<path class="{}" d="{}"/>').format(
        "wire auto" if line.auto else "wire", _path(line.points, direction)
    )
    return path + _head(line.points, direction) if line.arrow else path


def _path(points: tuple[Point, ...], direction: Direction) -> str:
    """Return straight pieces and curves in turn; curves leave and arrive along the flow."""
    pieces = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for number, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        if number % 2 == 0:
            pieces.append(f"L{to_x:.1f},{to_y:.1f}")
            continue
        half = (x + to_x) / 2, (y + to_y) / 2
        bends = ((half[0], y), (half[0], to_y)) if direction == "across" else ((x, half[1]), (to_x, half[1]))
        pieces.append("C" + " ".join(f"{at:.1f},{down:.1f}" for at, down in (*bends, (to_x, to_y))))
    return " ".join(pieces)


def _head(points: tuple[Point, ...], direction: Direction) -> Markup:
    """Return the head of an arrow at the last point."""
    (x, y), axis = points[-1], 0 if direction == "across" else 1
    back = 7.0 if points[-1][axis] < points[0][axis] else -7.0
    corners = ((x + back, y - 4), (x + back, y + 4)) if axis == 0 else ((x - 4, y + back), (x + 4, y + back))
    found = " ".join(f"{at:.1f},{down:.1f}" for at, down in ((x, y), *corners))
    return Markup('<polygon class="tip" points="{}"/>').format(found)
