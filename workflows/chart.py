"""What a transition does to a record: a process, the states that the record holds and a name give a decision. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from definitions.charts.chart import Arc
from definitions.charts.steps import Situation, is_done, select, take
from definitions.spec.process import Configuration, Process, Transition

KEPT = 10_000
"""Decisions that a process remembers."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The transition may be taken: the states left and entered, in the order of SCXML, and what is held after.

    `origin` and `goal` are the innermost of them, as the history names them.
    """

    transition: Transition
    exits: tuple[str, ...]
    enters: tuple[str, ...]
    configuration: Configuration
    origin: tuple[str, ...]
    goal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The transition can't be taken: it is unknown, or the process is elsewhere."""

    why: Literal["unknown", "elsewhere"]


Decision = Taken | NotTaken


def decide(process: Process, held: Configuration, transition: str) -> Decision:
    """Return what taking the transition named `transition` does to a record that holds these states."""
    kept = process.chart.kept
    key = (held, transition)
    found = kept.get(key)
    if not isinstance(found, Taken | NotTaken):
        found = _decided(process, held, transition)
        if len(kept) < KEPT:
            kept[key] = found
    return found


def _decided(process: Process, held: Configuration, transition: str) -> Decision:
    found = process.transitions.get(transition)
    if found is None or found.auto:
        return NotTaken("unknown")
    now = Situation(process.active(held))
    arcs = select(process.chart, now, lambda arc: transition in arc.events)
    return _taken(process, now, arcs[0])[0] if arcs else NotTaken("elsewhere")


def automatic(process: Process, held: Configuration, holds: Callable[[Transition], bool]) -> tuple[Taken, ...]:
    """Return the moves that are taken by themselves now, one after the other; none when the process rests.

    `holds` says whether the guard of a transition is met. Without a guard a state is left when it is done; one with
    nothing inside always is. Those of regions side by side are taken together.
    """
    now = Situation(process.active(held))

    def enabled(arc: Arc) -> bool:
        transition = process.transitions[arc.name]
        if not transition.auto:
            return False
        return holds(transition) if transition.guard is not None else _is_over(process, now, arc.source)

    found = []
    for arc in select(process.chart, now, enabled):
        taken, now = _taken(process, now, arc)
        found.append(taken)
    return tuple(found)


def _is_over(process: Process, now: Situation, state: str) -> bool:
    return process.chart.is_leaf(state) or is_done(process.chart, now.active, state)


def _taken(process: Process, now: Situation, arc: Arc) -> tuple[Taken, Situation]:
    chart = process.chart
    step = take(chart, now, (arc,))
    leaves = chart.leaves(step.after.active)
    origin, goal = chart.leaves(step.exits), chart.leaves(step.enters)
    transition = process.transitions[arc.name]
    return Taken(transition, step.exits, step.enters, process.configured(leaves), origin, goal), step.after


def leaving(process: Process, held: Configuration) -> tuple[Transition, ...]:
    """Return the transitions that somebody can take of a record that holds these states, in the order written."""
    return tuple(
        found for found in process.transitions.values() if isinstance(decide(process, held, found.name), Taken)
    )


def by_name(processes: Mapping[str, Process], names: tuple[str, ...], transition: str) -> list[Process]:
    """Return those of the processes `names` that have a transition of this name."""
    return [processes[name] for name in names if transition in processes[name].transitions]
