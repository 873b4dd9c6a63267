"""The chart of a process: its states as nodes, an arc for each state that a transition leads out of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    arcs = tuple(_arc(process, state.name, transition) for transition in ways)
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


def _arc(process: Process, source: str, transition: Transition) -> Arc:
    """Return the way out of one of a transition's states.

    To a state inside of it the arc is internal: it goes on being active, and so do the regions beside it. A region that
    begins anew is left and entered in the same way. `from: any` means the region of the target where that is active.
    """
    target = transition.target
    region = _is_region(process, source)
    start = _start(process, source, process.states[source].children) if region and target == source else None
    return Arc(
        source,
        (target,) if start is None else start.targets,
        () if transition.auto else (transition.name,),
        internal=True,
        outside=(target, *_regions(process, target, source)) if transition.anywhere else (),
        name=transition.name,
    )


def _is_region(process: Process, name: str) -> bool:
    parent = process.states[name].parent
    return parent is not None and process.states[parent].parallel


def _regions(process: Process, target: str, source: str) -> Iterator[str]:
    """Yield the regions that a target stands in, and a source does not."""
    above, around = process.states[target].parent, set(_above(process, source))
    while above is not None:
        if _is_region(process, above) and above not in around:
            yield above
        above = process.states[above].parent


def _above(process: Process, name: str) -> Iterator[str]:
    found: str | None = name
    while found is not None:
        yield found
        found = process.states[found].parent
