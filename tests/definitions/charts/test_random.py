"""Charts and events that nobody thought of: the interpreter does what the recommendation says, and stays legal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from definitions.charts.chart import ROOT, Arc, Chart, Kind, Node
from definitions.charts.machine import Machine
from definitions.charts.steps import fitted
from tests.definitions.charts.reference import Reference
from tests.running import tries

EVENTS = ("x", "y", "z")


@dataclass
class Sketch:
    """A state that is to be: its kind and what stands inside."""

    kind: Kind
    inside: list[Sketch] = field(default_factory=list)
    history: bool | None = None


@st.composite
def sketches(draw: st.DrawFn, depth: int = 3) -> Sketch:
    kinds: list[Kind] = ["atomic", "atomic", "final"] if depth == 0 else ["atomic", "compound", "compound", "parallel"]
    kind = draw(st.sampled_from(kinds))
    if kind in {"atomic", "final"}:
        return Sketch(kind)
    inside = draw(st.lists(sketches(depth - 1), min_size=1 if kind == "compound" else 2, max_size=3))
    return Sketch(kind, inside, draw(st.sampled_from([None, None, False, True])))


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    outer = draw(st.lists(sketches(), min_size=2, max_size=4))
    nodes = dict(_nodes(Sketch("compound", outer), ROOT, None))
    states = [name for name, node in nodes.items() if node.kind != "history" and name != ROOT]
    targets = [name for name in nodes if name != ROOT]
    for _ in range(draw(st.integers(1, 10))):
        name = draw(st.sampled_from(states))
        if nodes[name].kind == "final":
            continue
        goal = draw(st.lists(st.sampled_from(targets), max_size=1))
        event = draw(st.sampled_from(EVENTS))
        arc = Arc(name, tuple(goal), (event,), internal=draw(st.booleans()), name=str(len(nodes[name].arcs)))
        nodes[name] = replace(nodes[name], arcs=(*nodes[name].arcs, arc))
    return Chart(nodes)


def _nodes(sketch: Sketch, name: str, parent: str | None) -> Iterator[tuple[str, Node]]:
    children = tuple(f"{name}{place}" for place in range(len(sketch.inside)))
    start = Arc(name, children[:1]) if sketch.kind == "compound" else None
    remembers = () if sketch.history is None else (f"{name}h",)
    yield name, Node(name, sketch.kind, parent, children, start, histories=remembers)
    for each in remembers:
        yield each, Node(each, "history", name, start=Arc(name, children[-1:]), deep=bool(sketch.history))
    for child, inside in zip(children, sketch.inside, strict=True):
        yield from _nodes(inside, child, name)


def is_legal(chart: Chart, active: frozenset[str]) -> bool:
    """Whether states can be active together: one in each compound state that is, all regions of each parallel one."""
    here = active | {ROOT}
    for name in here:
        node = chart.nodes[name]
        inside = [child for child in node.children if child in here]
        wanted = {"compound": 1, "parallel": len(node.children)}.get(node.kind, 0)
        if len(inside) != wanted or (node.parent is not None and node.parent not in here):
            return False
    return True


@settings(max_examples=tries(120), deadline=None)
@given(charts(), st.lists(st.sampled_from(EVENTS), max_size=8))
def test_a_chart_goes_where_the_recommendation_says(chart: Chart, events: list[str]) -> None:
    machine, reference = Machine(chart), Reference(chart)
    assert machine.now.active == reference.configuration
    for event in events:
        machine.send(event)
        reference.send(event)
        assert machine.now.active == reference.configuration
        assert is_legal(chart, machine.now.active)


@settings(max_examples=tries(80), deadline=None)
@given(charts(), st.data())
def test_any_states_are_made_into_a_configuration(chart: Chart, data: st.DataObject) -> None:
    states = [name for name, node in chart.nodes.items() if node.kind != "history" and name != ROOT]
    wanted = data.draw(st.lists(st.sampled_from(states), max_size=4))
    leaves = fitted(chart, wanted)
    assert is_legal(chart, chart.around(leaves))
    assert not wanted or wanted[0] in chart.around(leaves)
    assert fitted(chart, leaves) == leaves
