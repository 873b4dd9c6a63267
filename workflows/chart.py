"""The pure interpreter of processes: a definition, a stored state and a transition's name give a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from definitions.spec.process import Process, Transition

Configuration = str
"""What is stored of a process: the active state. Parallel states will make it a union with a tuple of names."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The transition may be taken: the states left and entered, in the order of SCXML, and what is stored after."""

    transition: Transition
    exits: tuple[str, ...]
    enters: tuple[str, ...]
    configuration: Configuration


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The transition can't be taken: it is unknown, or the process is elsewhere."""

    why: Literal["unknown", "elsewhere"]


Decision = Taken | NotTaken


def sources(process: Process, transition: Transition) -> tuple[str, ...]:
    """Return the states that the transition leaves from; `any` stands for every one not final, the target aside."""
    if transition.sources != ("any",):
        return transition.sources
    return tuple(name for name, state in process.states.items() if not state.final and name != transition.target)


def decide(process: Process, state: Configuration, transition: str) -> Decision:
    """Return what taking the transition named `transition` in `state` does."""
    found = process.transitions.get(transition)
    if found is None:
        return NotTaken("unknown")
    if state not in sources(process, found):
        return NotTaken("elsewhere")
    return Taken(found, (state,), (found.target,), found.target)


def leaving(process: Process, state: Configuration) -> tuple[Transition, ...]:
    """Return the transitions that can be taken in `state`, in the order of the definition."""
    return tuple(found for found in process.transitions.values() if state in sources(process, found))


def by_name(processes: Mapping[str, Process], names: tuple[str, ...], transition: str) -> list[Process]:
    """Return those of the processes `names` that have a transition of this name."""
    return [processes[name] for name in names if transition in processes[name].transitions]
