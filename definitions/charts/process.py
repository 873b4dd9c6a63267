"""The chart of a process: its states as nodes, an arc for each state that a transition leads out of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from definitions.charts.chart import ROOT, Arc, Chart, Kind, Node

if TYPE_CHECKING:
    from definitions.spec.process import Configuration, Process, State, Transition


def chart_of(process: Process) -> Chart:
    """Return the chart of a process; a transition is the event of its own name, an automatic one has none."""
    outer = [state.name for state in process.states.values() if state.parent is None]
    nodes = {ROOT: Node(ROOT, "compound", None, tuple(outer), _start(process, ROOT, outer))}
    nodes |= {state.name: _node(process, state) for state in process.states.values()}
    return Chart(nodes)


def leaves_of(held: Configuration | None) -> tuple[str, ...]:
    """Return the innermost states that a record holds of a process, whether they are one or several."""
    if held is None:
        return ()
    return (held,) if isinstance(held, str) else tuple(held)


def _node(process: Process, state: State) -> Node:
    kind = _kind(state)
    start = _start(process, state.name, state.children) if kind == "compound" else None
    ways = (transition for transition in process.transitions.values() if state.name in transition.sources)
    arcs = tuple(_arc(state.name, transition) for transition in ways)
    return Node(state.name, kind, state.parent or ROOT, state.children, start, arcs)


def _kind(state: State) -> Kind:
    if state.children:
        return "parallel" if state.parallel else "compound"
    return "final" if state.final else "atomic"


def _start(process: Process, name: str, children: Iterable[str]) -> Arc | None:
    """Return where a state begins: at the initial one inside, else at the first."""
    inside = [each for each in children if each in process.states]
    first = next((each for each in inside if process.states[each].initial), inside[0] if inside else None)
    return None if first is None else Arc(name, (first,))


def _arc(source: str, transition: Transition) -> Arc:
    return Arc(
        source,
        (transition.target,),
        () if transition.auto else (transition.name,),
        outside=transition.target if transition.anywhere else None,
        name=transition.name,
    )
