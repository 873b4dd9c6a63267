"""Which arcs are taken, and what that leaves and enters: appendix D of the SCXML recommendation, as pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from definitions.charts.chart import ROOT, Arc, Chart

Enabled = Callable[[Arc], bool]


@dataclass(frozen=True, slots=True)
class Situation:
    """The active states (all of them, the chart aside), and what histories remember."""

    active: frozenset[str]
    past: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """What taking arcs does: the states left (innermost first) and entered (outermost first), and where that leads.

    `starts` are the arcs by which compound states and histories began, by the state that they are of.
    """

    arcs: tuple[Arc, ...]
    exits: tuple[str, ...]
    enters: tuple[str, ...]
    starts: Mapping[str, Arc]
    after: Situation


def begin(chart: Chart) -> Step:
    """Return the step by which a chart begins."""
    entry = _Entry(chart, Situation(frozenset()))
    start = chart.nodes[ROOT].start
    if start is not None:
        entry.follow(start, ROOT)
        entry.starts[ROOT] = start
    return _entered(chart, (), (), entry, Situation(frozenset()))


def select(chart: Chart, now: Situation, enabled: Enabled) -> tuple[Arc, ...]:
    """Return the arcs that are taken together: of each innermost state the first one that is enabled, from the inside
    out and in document order, without those that others get in the way of.
    """
    found: dict[Arc, None] = {}
    for leaf in chart.leaves(now.active):
        ways = (arc for name in (leaf, *chart.above[leaf]) for arc in chart.nodes[name].arcs)
        first = next((arc for arc in ways if _open(arc, now) and enabled(arc)), None)
        if first is not None:
            found[first] = None
    return _compatible(chart, now, found)


def _open(arc: Arc, now: Situation) -> bool:
    return (arc.inside is None or arc.inside in now.active) and now.active.isdisjoint(arc.outside)


def _compatible(chart: Chart, now: Situation, arcs: Iterable[Arc]) -> tuple[Arc, ...]:
    """Leave out arcs that would leave a state that another leaves: inner ones come first, then earlier ones."""
    kept: dict[Arc, None] = {}
    for arc in arcs:
        rivals = [other for other in kept if exits(chart, now, (arc,)) & exits(chart, now, (other,))]
        if all(chart.is_below(arc.source, other.source) for other in rivals):
            for other in rivals:
                del kept[other]
            kept[arc] = None
    return tuple(kept)


def exits(chart: Chart, now: Situation, arcs: Iterable[Arc]) -> frozenset[str]:
    """Return the states that taking arcs leaves."""
    domains = [found for arc in arcs if (found := domain(chart, now, arc)) is not None]
    return frozenset(name for name in now.active if any(each in chart.above[name] for each in domains))


def take(chart: Chart, now: Situation, arcs: Sequence[Arc]) -> Step:
    """Return what taking arcs together does; they are what `select` chose."""
    left = exits(chart, now, arcs)
    past = {**now.past, **_remembered(chart, now, left)}
    entry = _Entry(chart, Situation(now.active, past))
    for arc in arcs:
        inside = domain(chart, Situation(now.active, past), arc)
        if inside is not None:
            entry.follow(arc, inside)
    staying = Situation(now.active - left, past)
    return _entered(chart, tuple(arcs), tuple(reversed(chart.sort(left))), entry, staying)


def fitted(chart: Chart, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the innermost states of the configuration that has as many of these states as go together.

    The first ones count; where none is wanted the chart begins, and so does every region of which none is.
    """
    chosen: list[str] = []
    for name in wanted:
        if all(_together(chart, name, other) for other in chosen):
            chosen = [other for other in chosen if not chart.is_below(name, other)]
            if not any(chart.is_below(other, name) or other == name for other in chosen):
                chosen.append(name)
    if not chosen:
        return chart.leaves(begin(chart).after.active)
    return chart.leaves(entered(chart, Situation(frozenset()), Arc(ROOT, tuple(chosen)), ROOT))


def _together(chart: Chart, one: str, other: str) -> bool:
    """Whether two states can be active at once: one stands inside of the other, or in different regions."""
    if one == other or chart.is_below(one, other) or chart.is_below(other, one):
        return True
    meet = next(above for above in chart.above[one] if above in chart.above[other])
    return chart.nodes[meet].kind == "parallel"


def entered(chart: Chart, now: Situation, arc: Arc, within: str) -> frozenset[str]:
    """Return the states that following an arc enters, with those around its target below `within`."""
    entry = _Entry(chart, now)
    entry.follow(arc, within)
    return frozenset(entry.states)


def _entered(chart: Chart, arcs: tuple[Arc, ...], left: tuple[str, ...], entry: _Entry, staying: Situation) -> Step:
    entered = chart.sort(entry.states)
    return Step(arcs, left, entered, entry.starts, Situation(staying.active | entry.states, staying.past))


def _remembered(chart: Chart, now: Situation, left: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return what the histories of the states that are left remember from now on."""
    found = {}
    for name in left:
        for each in chart.nodes[name].histories:
            if chart.nodes[each].deep:
                inside = [state for state in chart.leaves(now.active) if chart.is_below(state, name)]
            else:
                inside = [state for state in now.active if chart.nodes[state].parent == name]
            found[each] = chart.sort(inside)
    return found


def is_done(chart: Chart, active: frozenset[str], name: str) -> bool:
    """Whether a state has come to its end: a final one inside is active, or all of its regions have."""
    node = chart.nodes[name]
    if node.kind == "final":
        return name in active
    if node.kind == "parallel":
        return all(is_done(chart, active, child) for child in node.children)
    return any(chart.nodes[child].kind == "final" and child in active for child in node.children)


def _targets(chart: Chart, now: Situation, arc: Arc) -> tuple[str, ...]:
    """Return the states that an arc leads to; a history stands for what it remembers."""
    found: dict[str, None] = {}
    for name in arc.targets:
        node = chart.nodes[name]
        if node.kind != "history":
            found[name] = None
        elif name in now.past:
            found |= dict.fromkeys(now.past[name])
        elif node.start is not None:
            found |= dict.fromkeys(_targets(chart, now, node.start))
    return tuple(found)


def domain(chart: Chart, now: Situation, arc: Arc) -> str | None:
    """Return the state whose inside an arc changes, None for one that leads nowhere."""
    targets = _targets(chart, now, arc)
    if not targets:
        return None
    compound = chart.nodes[arc.source].kind == "compound"
    if arc.internal and compound and all(chart.is_below(each, arc.source) for each in targets):
        return arc.source
    return chart.common((arc.source, *targets))


class _Entry:
    """Collects the states that a step enters."""

    def __init__(self, chart: Chart, now: Situation) -> None:
        self.chart = chart
        self.now = now
        self.states: set[str] = set()
        self.starts: dict[str, Arc] = {}

    def follow(self, arc: Arc, within: str) -> None:
        """Enter the targets of an arc, and what is around them below `within`."""
        for name in arc.targets:
            self._down(name)
        for name in _targets(self.chart, self.now, arc):
            self._up(name, within)

    def _down(self, name: str) -> None:
        """Enter a state and what begins inside of it."""
        node = self.chart.nodes[name]
        if node.kind == "history":
            self._recall(name, node.parent or ROOT)
            return
        self.states.add(name)
        if node.kind == "compound" and node.start is not None:
            self.starts[name] = node.start
            self.follow(node.start, name)
        elif node.kind == "parallel":
            self._regions(name)

    def _recall(self, name: str, parent: str) -> None:
        start = self.chart.nodes[name].start
        if name in self.now.past:
            self.follow(Arc(parent, self.now.past[name]), parent)
        elif start is not None:
            self.starts[parent] = start
            self.follow(start, parent)

    def _up(self, name: str, within: str) -> None:
        """Enter the states between a state and `within`, with the other regions of parallel ones."""
        for above in self.chart.above[name]:
            if above == within:
                return
            self.states.add(above)
            if self.chart.nodes[above].kind == "parallel":
                self._regions(above)

    def _regions(self, name: str) -> None:
        for child in self.chart.nodes[name].children:
            if child not in self.states and not any(self.chart.is_below(state, child) for state in self.states):
                self._down(child)
