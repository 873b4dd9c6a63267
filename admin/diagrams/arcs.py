"""A process taken apart for drawing: which arrows stand at which level, from what to what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from definitions.spec.process import Process, Transition

OUTERMOST = ""
"""The level that stands inside of no state."""


@dataclass(slots=True)
class Arc:
    """One label with the arrows to and from it, at the level of the states inside of `level`.

    `sources` and `target` are states of that level; what the transition really leaves and reaches stands in `leaves`
    and `reaches` where that is deeper inside. `anywhere`: it has no arrow to it, it leads away from every state.
    """

    transition: Transition
    level: str
    target: str
    back: bool = False
    anywhere: bool = False
    sources: list[str] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)
    reaches: str | None = None

    @property
    def itself(self) -> bool:
        """Whether it leads back to where it begins."""
        return self.sources == [self.target]


def levels(process: Process) -> dict[str, list[str]]:
    """Return the states at each level, by the name of the state that they stand in."""
    found: dict[str, list[str]] = {}
    for state in process.states.values():
        found.setdefault(state.parent or OUTERMOST, []).append(state.name)
    return found


def arcs(process: Process) -> list[Arc]:
    """Return the arcs of a process: one a transition where its sources stand together, else one for each way."""
    order = {name: number for number, name in enumerate(process.states)}
    found: dict[tuple[object, ...], Arc] = {}
    for transition in process.transitions.values():
        for source, arc in _ways(process, transition, order):
            kept = found.setdefault((transition.name, arc.level, arc.target, arc.back, arc.itself, arc.anywhere), arc)
            if kept is not arc:
                kept.sources += [each for each in arc.sources if each not in kept.sources]
            if source is not None and source not in kept.leaves:
                kept.leaves.append(source)
    return list(found.values())


def _ways(process: Process, transition: Transition, order: dict[str, int]) -> Iterator[tuple[str | None, Arc]]:
    """Yield the arc for each source, with the source itself where it stands deeper inside than the arc begins."""
    target = transition.target
    loose = _loose(process, transition)
    if transition.anywhere:
        yield None, loose
        return
    for source in transition.sources:
        if process.states[source].children and source != target and source in _around(process, target):
            yield source, loose
            continue
        level, first, last = _meeting(process, source, target)
        arc = Arc(transition, level, last, sources=[first], reaches=target if last != target else None)
        arc.back = order[last] < order[first]
        yield source if first != source else None, arc


def _loose(process: Process, transition: Transition) -> Arc:
    """Return the arc that only leads to the target: where that is one of several side by side, to what is around."""
    target = transition.target
    around = (each for each in _around(process, target) if not _beside(process, each))
    last = next(around)
    level = process.states[last].parent or OUTERMOST
    return Arc(transition, level, last, anywhere=True, reaches=target if last != target else None)


def _beside(process: Process, state: str) -> bool:
    """Whether a state runs beside others."""
    parent = process.states[state].parent
    return parent is not None and process.states[parent].parallel


def _meeting(process: Process, source: str, target: str) -> tuple[str, str, str]:
    """Return the innermost level at which both stand, and the states there that they are or stand in."""
    starts, ends = _around(process, source), _around(process, target)
    for first in starts:
        level = process.states[first].parent or OUTERMOST
        last = next((each for each in ends if (process.states[each].parent or OUTERMOST) == level), None)
        if last is not None and not _beside(process, first):
            return level, first, last
    return OUTERMOST, starts[-1], ends[-1]


def _around(process: Process, state: str) -> list[str]:
    """Return a state and those around it, from inside to outside."""
    found, now = [], state
    while True:
        found.append(now)
        parent = process.states[now].parent
        if parent is None:
            return found
        now = parent
