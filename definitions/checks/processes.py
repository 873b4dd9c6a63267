"""Processes: where they begin, what can be reached, and where they would get stuck."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.checks.checked import Checked
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
        sentence = f"The process {process.name} has no initial state."
        yield Problem(
            "process.no_initial_state", process.place, sentence, "Say 'initial: true' in the state of new records."
        )
    for extra in initial[1:]:
        sentence = f"'{extra.name}' is initial, and so is '{initial[0].name}'."
        yield Problem("process.several_initial_states", extra.place, sentence, "New records start in one state.")
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
            sentence = f"No record can come into the state '{state.name}'."
            hint = "Add a transition to it from a state that can be reached, or take it out."
            yield Problem("process.unreachable_state", state.place, sentence, hint)


def _dead_ends(process: Process) -> Iterator[Problem]:
    for state in process.states.values():
        ways = (t for t in process.transitions.values() if state.name in t.sources and t.target != state.name)
        if not state.final and next(ways, None) is None:
            sentence = f"Nothing leads out of the state '{state.name}', and it is not final."
            yield Problem("process.dead_end", state.place, sentence, "Add a transition from it, or say 'final: true'.")
