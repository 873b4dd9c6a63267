"""Processes: where they begin, what can be reached, and where they would get stuck."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.checks.checked import Checked
from definitions.message import say
from definitions.problems import Problem
from definitions.spec.process import Process


def check_processes(checked: Checked) -> Iterator[Problem]:
    """Yield what is wrong with the course of each process."""
    for process in checked.network.processes.values():
        if checked.whole("process", process.name):
            yield from _course(process)


def _course(process: Process) -> Iterator[Problem]:
    initial = [state for state in process.states.values() if state.initial]
    if not initial:
        sentence = say("The process {name} has no initial state.", name=process.name)
        yield Problem(
            "process.no_initial_state", process.place, sentence, say("Say 'initial: true' in the state of new records.")
        )
    for extra in initial[1:]:
        sentence = say("'{name}' is initial, and so is '{other}'.", name=extra.name, other=initial[0].name)
        yield Problem("process.several_initial_states", extra.place, sentence, say("New records start in one state."))
    if len(initial) == 1:
        yield from _unreachable(process, initial[0].name)
    yield from _dead_ends(process)


def _unreachable(process: Process, start: str) -> Iterator[Problem]:
    reached = {start}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for transition in process.transitions.values():
            if here in transition.sources and transition.target not in reached:
                reached.add(transition.target)
                waiting.append(transition.target)
    for state in process.states.values():
        if state.name not in reached:
            sentence = say("No record can come into the state '{name}'.", name=state.name)
            hint = say("Add a transition to it from a state that can be reached, or take it out.")
            yield Problem("process.unreachable_state", state.place, sentence, hint)


def _dead_ends(process: Process) -> Iterator[Problem]:
    for state in process.states.values():
        ways = (t for t in process.transitions.values() if state.name in t.sources and t.target != state.name)
        if not state.final and next(ways, None) is None:
            sentence = say("Nothing leads out of the state '{name}', and it is not final.", name=state.name)
            yield Problem(
                "process.dead_end", state.place, sentence, say("Add a transition from it, or say 'final: true'.")
            )
