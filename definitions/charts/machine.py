"""A chart that runs by events: each is followed by what it raises and by arcs that are taken by themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from definitions.charts.chart import ROOT, Arc, Chart
from definitions.charts.steps import Situation, Step, begin, is_done, select, take

LIMIT = 1_000
"""Steps that may follow from one event."""


class EndlessError(Exception):
    """The steps that follow from one event do not come to an end: take out arcs that lead round in a circle."""


class Machine:
    """A chart and where it stands: `active` are the innermost states."""

    def __init__(self, chart: Chart) -> None:
        """Begin the chart, and come to rest."""
        self.chart = chart
        self.raised: deque[str] = deque()
        self.now = Situation(frozenset())
        self._do(begin(chart))
        self._rest()

    @property
    def active(self) -> tuple[str, ...]:
        """The innermost active states, in document order."""
        return self.chart.leaves(self.now.active)

    def send(self, event: str) -> None:
        """Take what an event makes possible, and all that follows from it."""
        self._react(event)
        self._rest()

    def _react(self, event: str) -> None:
        arcs = select(self.chart, self.now, lambda arc: any(matches(each, event) for each in arc.events))
        if arcs:
            self._do(take(self.chart, self.now, arcs))

    def _rest(self) -> None:
        for _ in range(LIMIT):
            arcs = select(self.chart, self.now, lambda arc: not arc.events)
            if arcs:
                self._do(take(self.chart, self.now, arcs))
            elif self.raised:
                self._react(self.raised.popleft())
            else:
                return
        raise EndlessError

    def _do(self, step: Step) -> None:
        for name in step.exits:
            self.raised.extend(self.chart.nodes[name].leaving)
        for arc in step.arcs:
            self.raised.extend(arc.raises)
        active = self.now.active - set(step.exits)
        for name in step.enters:
            active |= {name}
            self.raised.extend(self._entering(step, name, active))
        self.now = step.after

    def _entering(self, step: Step, name: str, active: frozenset[str]) -> Iterator[str]:
        """Yield what entering a state raises; a final one says that what is around it is done."""
        node = self.chart.nodes[name]
        yield from node.entering
        yield from step.starts.get(name, Arc(name)).raises
        if node.kind != "final" or node.parent in {None, ROOT}:
            return
        parent = self.chart.nodes[str(node.parent)]
        yield f"done.state.{parent.name}"
        above = self.chart.nodes[parent.parent or ROOT]
        if above.kind == "parallel" and is_done(self.chart, active, above.name):
            yield f"done.state.{above.name}"


def matches(descriptor: str, event: str) -> bool:
    """Whether an event is one that a descriptor names: the same, or one below it (`a` names `a.b`; `*` every one)."""
    wanted = descriptor.removesuffix("*").removesuffix(".")
    return not wanted or event == wanted or event.startswith(f"{wanted}.")
