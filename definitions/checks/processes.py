"""Processes: where they begin, what can be reached, and where they would get stuck."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from definitions.charts.chart import ROOT, Arc, Chart
from definitions.charts.steps import Situation, entered
from definitions.checks.checked import Checked
from definitions.message import say
from definitions.problems import Place, Problem
from definitions.spec.process import Process, State


def check_processes(checked: Checked) -> Iterator[Problem]:
    """Yield what is wrong with the course of each process."""
    whole = {name: each for name, each in checked.network.processes.items() if checked.whole("process", name)}
    yield from checked.each("process", whole, _course)


def _course(process: Process) -> Iterator[Problem]:
    misshapen, wrong = [*_shape(process)], [*_beginnings(process)]
    yield from (*misshapen, *wrong)
    if not misshapen and not wrong:
        yield from _unreachable(process)
    if not misshapen:
        yield from _dead_ends(process)


def _shape(process: Process) -> Iterator[Problem]:
    """Yield the states that are said to be what they can't be."""
    for state in process.states.values():
        if state.parallel and not state.children:
            sentence = say("Nothing runs side by side in '{name}'.", name=state.name)
            hint = say("Write its regions below 'states', or leave 'parallel' out.")
            yield Problem("process.parallel_without_states", state.place, sentence, hint)
        if state.final and state.children:
            sentence = say("'{name}' is final and has states inside.", name=state.name)
            hint = say("Say 'final' of the state inside in which it is over.")
            yield Problem("process.final_with_states", state.place, sentence, hint)


def _beginnings(process: Process) -> Iterator[Problem]:
    outer = [state for state in process.states.values() if state.parent is None]
    sentence = say("The process {name} has no initial state.", name=process.name)
    yield from _one_beginning(outer, process.place, sentence, say("Say 'initial: true' in the state of new records."))
    for state in process.states.values():
        inner = [process.states[name] for name in state.children]
        if state.parallel:
            for region in (each for each in inner if each.initial):
                sentence = say("'{name}' runs side by side with others: none of them is initial.", name=region.name)
                yield Problem("process.initial_region", region.place, sentence, say("Leave 'initial' out."))
        elif inner:
            sentence = say("The state '{name}' has no initial state inside.", name=state.name)
            hint = say("Say 'initial: true' in the state in which it begins.")
            yield from _one_beginning(inner, state.place, sentence, hint)


def _one_beginning(states: Sequence[State], place: Place, none: str, hint: str) -> Iterator[Problem]:
    initial = [state for state in states if state.initial]
    if not initial:
        yield Problem("process.no_initial_state", place, none, hint)
    for extra in initial[1:]:
        sentence = say("'{name}' is initial, and so is '{other}'.", name=extra.name, other=initial[0].name)
        yield Problem(
            "process.several_initial_states", extra.place, sentence, say("Of states beside each other one is initial.")
        )


def _unreachable(process: Process) -> Iterator[Problem]:
    chart = process.chart
    reached = set(process.active(process.initial))
    ways = [arc for node in chart.nodes.values() for arc in node.arcs]
    while True:
        news = [arc for arc in ways if arc.source in reached and _may_leave(process, reached, arc)]
        if not news:
            break
        ways = [arc for arc in ways if arc not in news]
        reached |= {name for arc in news for name in entered(chart, Situation(frozenset()), arc, ROOT)}
    for state in process.states.values():
        if state.name not in reached:
            sentence = say("No record can come into the state '{name}'.", name=state.name)
            hint = say("Add a transition to it from a state that can be reached, or take it out.")
            yield Problem("process.unreachable_state", state.place, sentence, hint)


def _may_leave(process: Process, reached: Iterable[str], arc: Arc) -> bool:
    """Whether a state can ever be left this way: one that is left when it is done must come to its end."""
    transition = process.transitions[arc.name]
    if not transition.auto or transition.guard is not None:
        return True
    return process.chart.is_leaf(arc.source) or _ends(process.chart, frozenset(reached), arc.source)


def _ends(chart: Chart, reached: frozenset[str], name: str) -> bool:
    node = chart.nodes[name]
    if node.kind == "parallel":
        return all(_ends(chart, reached, child) for child in node.children)
    return any(child in reached and chart.nodes[child].kind == "final" for child in (name, *node.children))


def _dead_ends(process: Process) -> Iterator[Problem]:
    chart = process.chart
    for state in process.states.values():
        if state.children or state.final:
            continue
        arcs = (arc for name in (state.name, *chart.above[state.name]) for arc in chart.nodes[name].arcs)
        ways = (arc for arc in arcs if state.name not in entered(chart, Situation(frozenset()), arc, ROOT))
        if next(ways, None) is None:
            sentence = say("Nothing leads out of the state '{name}', and it is not final.", name=state.name)
            yield Problem(
                "process.dead_end", state.place, sentence, say("Add a transition from it, or say 'final: true'.")
            )
